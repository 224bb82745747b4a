// Does a promoted server send what the archive lacks, also where PostgreSQL has left no mark, and a standby nothing of the kind?
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDirectoryRepo } from "../adapters/repo/directory.ts";
import { createClock } from "../adapters/system/clock.ts";
import { createLog } from "../adapters/system/log.ts";
import { parseWalName, segmentStart } from "../model/wal-name.ts";
import { Lane, type Shelf } from "./lane.ts";
import { Survey } from "./survey.ts";
import { WalStore } from "./wal-store.ts";
import { Watch } from "./watch.ts";

const SYSTEM = "7123456789012345678";
const SIZE = 1024 * 1024;
const FIRST = "000000010000000000000001";
/** The last one before the fork, which lies exactly at its end. */
const LAST = "000000010000000000000002";
const CHILD = "000000020000000000000003";
const HISTORY = "00000002.history";

const here = { root: "" };
const signal = new AbortController().signal;
const clock = createClock();
const log = createLog({ level: "error", isTerminal: false, write: () => undefined });

beforeEach(async () => {
  here.root = mkdtempSync(join(tmpdir(), "us-watch-"));
  mkdirSync(join(here.root, "data/pg_wal/archive_status"), { recursive: true });
  mkdirSync(join(here.root, "near"));
  for (const name of [FIRST, LAST, CHILD]) writeSegment(name);
  writeFileSync(walPath(HISTORY), "1\t0/300000\tno recovery target specified\n");
  for (const name of [FIRST, CHILD, HISTORY])
    expect(await lane().archive(name, 30_000)).toEqual({ kind: "yes" });
});
afterEach(() => rmSync(here.root, { recursive: true }));

const walPath = (name: string): string => join(here.root, "data/pg_wal", name);

function writeSegment(name: string): void {
  const parsed = parseWalName(name, SIZE);
  if (parsed?.kind !== "segment") throw new Error(name);
  const content = randomBytes(SIZE);
  content.writeUInt32LE(parsed.timeline, 4);
  content.writeBigUInt64LE(segmentStart(parsed.number, SIZE), 8);
  content.writeBigUInt64LE(BigInt(SYSTEM), 24);
  content.writeUInt32LE(SIZE, 32);
  writeFileSync(walPath(name), content);
}

function shelf(): Shelf {
  const repo = createDirectoryRepo({
    name: "near",
    directory: join(here.root, "near"),
    place: "c/1",
  });
  const how = { compression: "gzip", recipients: [], identities: [] } as const;
  return { store: new WalStore(repo, how), required: true };
}

function lane(): Lane {
  const dataDir = join(here.root, "data");
  return new Lane({
    dataDir,
    systemId: SYSTEM,
    segmentSize: SIZE,
    shelves: [shelf()],
    clock,
    log,
  });
}

/** Looks once, and tells whether the missing segment is there then. */
async function isFilled(): Promise<boolean> {
  const { store, required } = shelf();
  const survey = new Survey({ store, segmentSize: SIZE, clock, backups: async () => [] });
  const dataDir = join(here.root, "data");
  const watch = new Watch({
    shelf: { store, required },
    survey,
    lane: lane(),
    dataDir,
    segmentSize: SIZE,
    clock,
    log,
  });
  await watch.look();
  return (await store.find(LAST, signal)) !== undefined;
}

test("a promoted server sends the last segment before its fork, which nothing marks as done", async () => {
  expect(await isFilled()).toBe(true);
});

test("a standby may not have come so far: it sends only what is marked", async () => {
  writeFileSync(join(here.root, "data/standby.signal"), "");
  expect(await isFilled()).toBe(false);
  writeFileSync(join(here.root, "data/pg_wal/archive_status", `${LAST}.done`), "");
  expect(await isFilled()).toBe(true);
});

test("a segment in which the timeline ended is not sent as a whole one", async () => {
  writeFileSync(walPath(HISTORY), "1\t0/2ABCD0\tno recovery target specified\n");
  expect(await isFilled()).toBe(false);
});
