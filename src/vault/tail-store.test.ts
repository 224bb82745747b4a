// Is what has come of a segment put together as it was, from what was sent while it was written?
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDirectoryRepo } from "../adapters/repo/directory.ts";
import { assemble, removePieces, sendPiece } from "./tail-store.ts";
import { WalStore } from "./wal-store.ts";
import { writtenEnd } from "./written-end.ts";

const PAGE = 8192;
const SIZE = 128 * PAGE;
const SEGMENT = "000000010000000000000007";
const HOW = { compression: "zstd", recipients: [], identities: [] } as const;
const signal = new AbortController().signal;

/** The folder of the test that runs. */
const here = { root: "" };
beforeEach(() => {
  here.root = mkdtempSync(join(tmpdir(), "us-tail-"));
  mkdirSync(join(here.root, "repo"));
});
afterEach(() => rmSync(here.root, { recursive: true }));

const store = (): WalStore => {
  const directory = join(here.root, "repo");
  return new WalStore(createDirectoryRepo({ name: "near", directory, place: "c/1" }), HOW);
};

/** A segment as a receiver writes it: full size from the beginning, a page header on each page that is written. */
async function receive(file: FileHandle, from: number, to: number): Promise<void> {
  const bytes = randomBytes(to - from);
  // The last byte of what is written is never zero here, so that its end can be told exactly.
  bytes[bytes.length - 1] = 1;
  for (let at = 0; at < bytes.length; at += 1)
    if ((from + at) % PAGE < 2) bytes[at] = (from + at) % PAGE === 0 ? 0x10 : 0xd1;
  await file.write(bytes, 0, bytes.length, from);
}

test("pieces that were sent as they came make the segment with zeros behind it", async () => {
  const path = join(here.root, `${SEGMENT}.partial`);
  const near = store();
  const file = await open(path, "w+");
  await file.truncate(SIZE);
  expect(await writtenEnd(file, 0, SIZE)).toBe(0);
  let sent = 0;
  for (const to of [100, 5_000, PAGE, 3 * PAGE + 17, 70 * PAGE + 9, 127 * PAGE + 5]) {
    await receive(file, sent, to);
    expect(await writtenEnd(file, sent, SIZE)).toBe(to);
    await sendPiece(near, { path, piece: { segment: SEGMENT, from: sent, to }, how: HOW }, signal);
    sent = to;
  }
  await file.close();
  const out = join(here.root, "out");
  expect(await assemble(near, SEGMENT, { path: out, segmentSize: SIZE }, signal)).toBe(true);
  expect(readFileSync(out).equals(readFileSync(path))).toBe(true);
  await removePieces(near, SEGMENT, signal);
  expect(await assemble(near, SEGMENT, { path: out, segmentSize: SIZE }, signal)).toBe(false);
});

test("a whole segment ends at its size", async () => {
  const file = await open(join(here.root, "whole"), "w+");
  await receive(file, 0, SIZE);
  expect(await writtenEnd(file, 64 * PAGE, SIZE)).toBe(SIZE);
  await file.close();
});
