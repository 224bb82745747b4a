import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { type WalRow, walScreen } from "./wal-command.ts";

const GB = 1024 ** 3;
const row = (change: Partial<WalRow> = {}): WalRow => ({
  member: "n1",
  leads: true,
  files: { count: 64, bytes: GB },
  disk: { freeBytes: 50 * GB, totalBytes: 100 * GB },
  walPerSecond: 2 * 1024 * 1024,
  maxWalBytes: GB,
  keepBytes: 0,
  slotLimitBytes: 8 * GB,
  archiver: { mode: "off", isFailing: false, waiting: 0, archived: 0, failed: 0 },
  slots: [],
  warnings: [],
  ...change,
});
const screen = (rows: readonly WalRow[], warnings: readonly string[] = []) =>
  stripVTControlCharacters(walScreen(rows, warnings, 80));

it("begins with a sentence on the leader, and fits 80 columns", () => {
  const text = screen([row(), row({ member: "n2", leads: false, fullInMs: 3_600_000 })]);
  expect(text).toContain("n1 leads and writes 2.0 MB of WAL a second; nothing keeps more");
  expect(text).toMatch(/n2 +1\.0 GB +.*50 GB of 100 GB +1h 0m/);
  expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
});

it("says when the disk is full, and how archiving does", () => {
  const archiver = { mode: "on", isFailing: true, waiting: 30, archived: 8, failed: 12 };
  const text = screen([row({ fullInMs: 7_200_000, archiver })], ["n1: archiving fails"]);
  expect(text.replaceAll("\n", " ")).toContain(
    "its disk is full in 2h 0m; archiving: fails, 30 wait",
  );
  expect(text).toContain("! n1: archiving fails");
});
