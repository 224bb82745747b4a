// Pieces go as soon as their segment is whole, and a restore that was planned before gets that one.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDirectoryRepo } from "../adapters/repo/directory.ts";
import { lsn } from "../model/lsn.ts";
import type { Repo } from "../ports/repo.ts";
import { bytesOf, textOf } from "./bytes.ts";
import { layTail, withTails } from "./restore-tail.ts";
import { fetchWal } from "./restore-wal.ts";
import type { Shelf } from "./shelf.ts";

const SIZE = 16;
const SEGMENT = "000000010000000000000004";
const signal = new AbortController().signal;
const here = { root: "" };

beforeEach(() => {
  here.root = mkdtempSync(join(tmpdir(), "us-tail-"));
  mkdirSync(join(here.root, "data/pg_wal"), { recursive: true });
});
afterEach(() => rmSync(here.root, { recursive: true }));

const open = (): Repo => createDirectoryRepo({ name: "near", directory: here.root, place: "r/1" });
const put = (repo: Repo, key: string, text: string) => repo.put(key, bytesOf(text), {}, signal);

/** Nothing here is packed. */
const shelfOf = (repo: Repo) =>
  ({
    repo,
    unpack: (_: string, content: AsyncIterable<Uint8Array>) => content,
    layDown: async (key: string, path: string) =>
      writeFileSync(path, await textOf(await repo.get(key, signal))),
  }) as unknown as Shelf;

const laid = () => readFileSync(join(here.root, "data/pg_wal", SEGMENT), "latin1");
const wishOf = (repo: Repo) => ({
  shelf: shelfOf(repo),
  segment: SEGMENT,
  segmentSize: SIZE,
  folder: join(here.root, "data/pg_wal"),
  owner: undefined,
  signal,
});
const EMPTY = {
  segmentSize: SIZE,
  segments: new Map(),
  partials: [],
  histories: new Map(),
  keys: new Map<string, string>(),
  storedAtMs: new Map<string, number>(),
};

test("pieces become a segment with zeros behind them, up to the first hole", async () => {
  const repo = open();
  await put(repo, `tail/${SEGMENT}/00000000-00000004`, "abcd");
  await put(repo, `tail/${SEGMENT}/00000002-00000006`, "cdef");
  await put(repo, `tail/${SEGMENT}/00000008-0000000A`, "xx");
  expect(await layTail(wishOf(repo))).toBe(true);
  expect(laid()).toBe(`abcdef${"\0".repeat(10)}`);
  const { partials } = await withTails(EMPTY, shelfOf(repo), signal);
  expect(partials).toEqual([{ timeline: 1, endLsn: lsn(4 * SIZE + 6) }]);
  const keys = new Map([[SEGMENT, "wal/x"]]);
  expect((await withTails({ ...EMPTY, keys }, shelfOf(repo), signal)).partials).toEqual([]);
});

test("a piece of another length than its name says is no end of the WAL", async () => {
  const repo = open();
  await put(repo, `tail/${SEGMENT}/00000000-00000004`, "abc");
  await expect(layTail(wishOf(repo))).rejects.toMatchObject({ code: "REPO_DAMAGED" });
});

test("a segment that has become whole since the plan is laid down as it is", async () => {
  const repo = open();
  await put(repo, `wal/00000001/${SEGMENT}`, "0123456789abcdef");
  const window = { timeline: 1, segments: [], tail: SEGMENT, endLsn: lsn(4 * SIZE + 6) };
  const fetching = {
    shelf: shelfOf(repo),
    archive: EMPTY,
    window,
    directory: join(here.root, "data"),
    id: "x",
    owner: undefined,
    onProgress: () => undefined,
    signal,
  };
  await fetchWal(fetching);
  expect(laid()).toBe("0123456789abcdef");
  await repo.remove(`wal/00000001/${SEGMENT}`, signal);
  await expect(fetchWal(fetching)).rejects.toMatchObject({ code: "REPO_MISSING" });
});
