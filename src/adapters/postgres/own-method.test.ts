// Is a restored copy taken for what it is, and never for more?
import { describe, expect, it } from "vitest";
import { type Lsn, lsn } from "../../model/lsn.ts";
import { FIRST_BRANCH } from "../../model/timeline.ts";
import type { ControlFile } from "./control-data.ts";
import { branchesOfCopy } from "./own-method.ts";

const SECOND = { timeline: 2, parent: 1, forkLsn: lsn(100), term: 20 };
const FOURTH = { timeline: 4, parent: 2, forkLsn: lsn(200), term: 40 };
const LINEAGE = [FIRST_BRANCH, SECOND, FOURTH];
const copy = (timeline: number, checkpointLsn: Lsn, minRecoveryLsn = lsn(0)) =>
  ({ timeline, checkpointLsn, minRecoveryLsn }) as ControlFile;

describe("a copy's history", () => {
  it("ends with the timeline that it is on", () => {
    expect(branchesOfCopy(copy(4, lsn(900)), LINEAGE)).toEqual(LINEAGE);
    expect(branchesOfCopy(copy(2, lsn(150)), LINEAGE)).toEqual([FIRST_BRANCH, SECOND]);
    expect(branchesOfCopy(copy(1, lsn(100)), LINEAGE)).toEqual([FIRST_BRANCH]);
  });

  it("is another one behind a fork, and on a timeline that the leader never was on", () => {
    expect(() => branchesOfCopy(copy(1, lsn(101)), LINEAGE)).toThrow("behind the fork");
    expect(() => branchesOfCopy(copy(2, lsn(150), lsn(201)), LINEAGE)).toThrow("behind the fork");
    expect(() => branchesOfCopy(copy(3, lsn(150)), LINEAGE)).toThrow("none of the leader's");
  });
});
