// A backup becomes a standby only on the leader's own history, and with the WAL that leads furthest along it.
import { describe, expect, it } from "vitest";
import type { BackupRecord } from "./backup-record.ts";
import { lsn } from "./lsn.ts";
import { chooseForStandby, type StandbyCandidate, wayForStandby } from "./standby-choice.ts";
import { FIRST_BRANCH, type Lineage } from "./timeline.ts";

const SEGMENT = 1_000;
const branch = (timeline: number, parent: number, fork: number, term = timeline) => ({
  timeline,
  parent,
  forkLsn: lsn(fork),
  term,
});
/** Timeline 2 was reserved and never begun. */
const LINEAGE: Lineage = [FIRST_BRANCH, branch(3, 1, 5_500), branch(4, 3, 8_200)];

function backup(timeline: number, start: number, more: Partial<BackupRecord> = {}): BackupRecord {
  const object = { file: "base.tar", storedBytes: 1, sha256: "" };
  return {
    format: 2,
    id: `20261127T000000Z-${String(start).padStart(8, "0")}`,
    label: "",
    scope: "shop",
    systemId: "1",
    versionNumber: 150_018,
    segmentBytes: SEGMENT,
    timeline,
    startLsn: lsn(start),
    stopLsn: lsn(start + 100),
    startedAtMs: start,
    finishedAtMs: start,
    takenOn: "b",
    takenFrom: "standby",
    dataBytes: 1,
    data: object,
    tablespaces: [],
    manifest: object,
    ...more,
  };
}

const proven = (record: BackupRecord, more: Partial<StandbyCandidate> = {}): StandbyCandidate => ({
  record,
  verified: "passed",
  drilled: undefined,
  ...more,
});
const chosen = (...candidates: readonly StandbyCandidate[]) => {
  const choice = chooseForStandby(candidates, LINEAGE);
  return choice.kind === "chosen" ? choice.record : choice.why;
};

describe("of the backups", () => {
  const older = backup(1, 2_000);
  const newer = backup(3, 6_000);

  it("the newest is taken that is proven", () => {
    expect(chosen(proven(newer), proven(older))).toBe(newer);
    expect(chosen(proven(newer, { verified: undefined }), proven(older))).toBe(older);
    expect(chosen(proven(newer, { verified: undefined, drilled: "passed" }))).toBe(newer);
    for (const failed of [{ verified: "failed" }, { drilled: "failed" }] as const)
      expect(chosen(proven(newer, failed), proven(older))).toBe(older);
  });

  it("none is taken that the leader's history does not lead on from", () => {
    // It ends behind the place where the leader left timeline 1.
    expect(chosen(proven(backup(1, 5_450)), proven(older))).toBe(older);
    expect(chosen(proven(backup(1, 5_400)), proven(older))).toEqual(backup(1, 5_400));
    expect(chosen(proven(backup(2, 5_600)))).toContain("lies on the leader's history");
    const tablespace = { oid: "7", path: "/fast", file: "7.tar", storedBytes: 1, sha256: "" };
    const spread = proven(backup(3, 6_100, { tablespaces: [tablespace] }));
    expect(chosen(spread, proven(older))).toBe(older);
    expect(chosen(spread)).toContain("tablespaces");
  });

  it("a refusal says what to do", () => {
    expect(chosen()).toBe("it holds no backup");
    expect(chosen(proven(older, { verified: undefined }))).toContain("understudy backup verify");
  });
});

describe("the way on", () => {
  const line = (timeline: number, end: number) => ({ timeline, endLsn: lsn(end), reason: "" });
  const HISTORIES = new Map([
    [3, [line(1, 5_500)]],
    [4, [line(1, 5_500), line(3, 8_200)]],
  ]);
  const stored = (
    segments: Readonly<Record<number, readonly [number, number]>>,
    histories = HISTORIES,
  ) => ({
    segmentSize: SEGMENT,
    segments: new Map(Object.entries(segments).map(([tli, run]) => [Number(tli), [run]])),
    partials: [],
    histories,
  });
  const way = (wal: ReturnType<typeof stored>, record = backup(1, 2_000)) => {
    const found = wayForStandby(wal, record, LINEAGE);
    return found && [found.timeline, Number(found.window?.endLsn ?? 0)];
  };

  it("goes as far along the leader's branches as WAL is there", () => {
    expect(way(stored({ 1: [2, 5], 3: [5, 8], 4: [8, 9] }))).toEqual([4, 10_000]);
    expect(way(stored({ 1: [2, 4] }))).toEqual([1, 5_000]);
    expect(way(stored({}))).toEqual([1, 2_000]);
  });

  it("takes no segment in which the leader left a branch, unless the next branch has it too", () => {
    // Segment 8 of timeline 3 may hold what the leader never had.
    expect(way(stored({ 1: [2, 5], 3: [5, 8] }))).toEqual([3, 8_000]);
    expect(way(stored({ 1: [2, 5] }))).toEqual([1, 5_000]);
    // So may the last segment of a backup's own WAL.
    const late = backup(3, 8_050);
    expect(way(stored({ 3: [5, 8] }), late)).toBeUndefined();
    expect(way(stored({ 3: [5, 8], 4: [8, 8] }), late)).toEqual([4, 9_000]);
  });

  it("follows no history but the leader's", () => {
    const other = new Map([...HISTORIES, [4, [line(1, 5_500), line(3, 8_300)]]] as const);
    expect(way(stored({ 1: [2, 5], 3: [5, 8], 4: [8, 9] }, other))).toEqual([3, 8_000]);
    const lead = new Map([...HISTORIES, [9, [line(1, 2_500)]]] as const);
    expect(way(stored({ 1: [2, 5], 3: [5, 8], 4: [8, 9], 9: [2, 20] }, lead))).toEqual([4, 10_000]);
  });
});
