import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { historyFileName } from "../../model/timeline.ts";
import { removeDeadEnds, reserveNumbers } from "./history.ts";

const stage = { home: "" };
beforeEach(async () => {
  stage.home = await mkdtemp(join(tmpdir(), "us-history-"));
  await mkdir(join(stage.home, "pg_wal"));
});
afterEach(async () => {
  await rm(stage.home, { recursive: true, force: true });
});

const write = (timeline: number, text: string): Promise<void> =>
  writeFile(join(stage.home, "pg_wal", historyFileName(timeline)), text);
const numbers = async (): Promise<number[]> =>
  (await readdir(join(stage.home, "pg_wal"))).toSorted().map((name) => Number.parseInt(name, 16));

test("the numbers between look taken, the target does not", async () => {
  expect(
    await reserveNumbers({ dataDir: stage.home, current: 2, target: 5, owner: undefined }),
  ).toBe(true);
  expect(await numbers()).toEqual([3, 4]);
});

test("a target that is taken, or no successor, is refused", async () => {
  await write(3, "1\t0/1\tx\n");
  expect(
    await reserveNumbers({ dataDir: stage.home, current: 2, target: 3, owner: undefined }),
  ).toBe(false);
  expect(
    await reserveNumbers({ dataDir: stage.home, current: 5, target: 5, owner: undefined }),
  ).toBe(false);
});

test("empty files that lead nowhere go, those on the way to a real one stay", async () => {
  await write(2, "");
  await write(3, "1\t0/1\tx\n");
  await write(4, "");
  await write(5, "");
  await removeDeadEnds(stage.home, 1);
  expect(await numbers()).toEqual([2, 3]);
});
