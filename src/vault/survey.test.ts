// Does the standing look tell which base backups a repository holds, and when one was read back?
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDirectoryRepo } from "../adapters/repo/directory.ts";
import { createClock } from "../adapters/system/clock.ts";
import { baseKey, expiredKey } from "../model/repo-keys.ts";
import { verificationKey } from "../model/verification.ts";
import type { Repo } from "../ports/repo.ts";
import { backupReader } from "./base-backups.ts";
import { Survey } from "./survey.ts";
import { WalStore } from "./wal-store.ts";

const OLDER = "20261126T040000Z-0000000a";
const NEWER = "20261127T040000Z-0000000b";
const signal = new AbortController().signal;
const here = { root: "" };

beforeEach(() => {
  here.root = mkdtempSync(join(tmpdir(), "us-survey-"));
  mkdirSync(join(here.root, "near"));
});
afterEach(() => rmSync(here.root, { recursive: true }));

const open = (): Repo =>
  createDirectoryRepo({ name: "near", directory: join(here.root, "near"), place: "c/1" });

async function put(repo: Repo, key: string, text: string): Promise<void> {
  const content = async function* () {
    yield Buffer.from(text);
  };
  await repo.put(key, content(), {}, signal);
}

async function baseOf(repo: Repo) {
  const how = { compression: "none", recipients: [], identities: [] } as const;
  const survey = new Survey({
    store: new WalStore(repo, how),
    segmentSize: 16 * 1024 * 1024,
    clock: createClock(),
    backups: backupReader(repo),
  });
  const coverage = await survey.look(signal);
  return { base: survey.base(), intervals: coverage.intervals.length };
}

const proof = (id: string, atMs: number, outcome: "passed" | "failed") =>
  verificationKey(id, { atMs, depth: "content", outcome });

test("only what is there counts, and only what was found right", async () => {
  const repo = open();
  expect((await baseOf(repo)).base).toEqual({
    backups: 0,
    newestAtMs: undefined,
    verifiedAtMs: undefined,
  });
  const record = JSON.stringify({ timeline: 1, startLsn: "0/2000028", stopLsn: "0/2000100" });
  for (const id of [OLDER, NEWER]) await put(repo, baseKey(id, "backup.json"), record);
  await put(repo, proof(OLDER, 1_000, "passed"), "{}");
  await put(repo, proof(NEWER, 2_000, "failed"), "{}");
  await put(repo, proof("20200101T000000Z-0000000c", 3_000, "passed"), "{}");
  const newestAtMs = Date.UTC(2026, 10, 27, 4);
  expect((await baseOf(repo)).base).toEqual({ backups: 2, newestAtMs, verifiedAtMs: 1_000 });
  await put(repo, expiredKey("base", OLDER), "{}");
  expect((await baseOf(repo)).base).toEqual({ backups: 1, newestAtMs, verifiedAtMs: undefined });
});
