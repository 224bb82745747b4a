import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { historyFileName } from "../../model/timeline.ts";
import { removeDeadEnds, reserveNumbers } from "./history.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "us-history-"));
  await mkdir(join(home, "pg_wal"));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

const write = (timeline: number, text: string): Promise<void> =>
  writeFile(join(home, "pg_wal", historyFileName(timeline)), text);
const numbers = async (): Promise<number[]> =>
  (await readdir(join(home, "pg_wal"))).sort().map((name) => Number.parseInt(name, 16));

test("the numbers between look taken, the target does not", async () => {
  expect(await reserveNumbers(home, 2, 5, undefined)).toBe(true);
  expect(await numbers()).toEqual([3, 4]);
});

test("a target that is taken, or no successor, is refused", async () => {
  await write(3, "1\t0/1\tx\n");
  expect(await reserveNumbers(home, 2, 3, undefined)).toBe(false);
  expect(await reserveNumbers(home, 5, 5, undefined)).toBe(false);
});

test("empty files that lead nowhere go, those on the way to a real one stay", async () => {
  await write(2, "");
  await write(3, "1\t0/1\tx\n");
  await write(4, "");
  await write(5, "");
  await removeDeadEnds(home, 1);
  expect(await numbers()).toEqual([2, 3]);
});
