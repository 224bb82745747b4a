// The nearest backup before the target, and a refusal where there is none.
import { expect, test } from "vitest";
import type { BackupRecord } from "./backup-record.ts";
import { lsn } from "./lsn.ts";
import { type Candidate, chooseBackup } from "./restore-choice.ts";

const candidate = (hour: number, isDamaged = false): Candidate => {
  const object = { file: "base.tar", storedBytes: 1, sha256: "" };
  const record: BackupRecord = {
    format: 1,
    id: `20261127T${String(hour).padStart(2, "0")}0000Z-00000000`,
    label: "",
    scope: "shop",
    systemId: "1",
    versionNumber: 150_018,
    segmentBytes: 16_777_216,
    timeline: 1,
    startLsn: lsn(hour * 1000),
    stopLsn: lsn(hour * 1000 + 100),
    startedAtMs: hour * 3_600_000,
    finishedAtMs: hour * 3_600_000 + 60_000,
    takenOn: "b",
    takenFrom: "standby",
    dataBytes: 1,
    data: object,
    tablespaces: [],
    manifest: object,
  };
  return { record, isDamaged };
};
const THREE = [candidate(1), candidate(5), candidate(9)];
const hourOf = (choice: ReturnType<typeof chooseBackup>) =>
  choice.kind === "chosen" ? choice.record.startedAtMs / 3_600_000 : choice.why;

test("the nearest one that is consistent before the target", () => {
  expect(hourOf(chooseBackup(THREE, { kind: "lsn", lsn: lsn(5100) }))).toBe(5);
  expect(hourOf(chooseBackup(THREE, { kind: "lsn", lsn: lsn(5099) }))).toBe(1);
  expect(hourOf(chooseBackup(THREE, { kind: "time", atMs: 9 * 3_600_000 }))).toBe(5);
  expect(hourOf(chooseBackup(THREE, { kind: "latest" }))).toBe(9);
  expect(hourOf(chooseBackup(THREE, { kind: "name", name: "x" }))).toBe(9);
});

test("one whose drill failed is taken only where no other leads to the target", () => {
  const doubtful = { ...candidate(9), isDoubtful: true };
  expect(hourOf(chooseBackup([candidate(1), candidate(5), doubtful], { kind: "latest" }))).toBe(5);
  expect(hourOf(chooseBackup([candidate(1, true), doubtful], { kind: "latest" }))).toBe(9);
});

test("a damaged one is passed over", () => {
  const damaged = [candidate(1), candidate(5, true)];
  expect(hourOf(chooseBackup(damaged, { kind: "backup" }))).toBe(1);
  expect(hourOf(chooseBackup([candidate(5, true)], { kind: "backup" }))).toContain("damaged");
});

test("a target before everything is refused with the reason", () => {
  expect(hourOf(chooseBackup(THREE, { kind: "time", atMs: 0 }))).toContain(
    "lies before the end of",
  );
  expect(hourOf(chooseBackup([], { kind: "latest" }))).toBe("there is no backup");
});
