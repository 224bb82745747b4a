import { describe, expect, it } from "vitest";
import { brokenPromises } from "./loss.ts";

const row = (worker: number, sequence: number, at: number, beforeBreak = false) => ({
  worker,
  sequence,
  at,
  beforeBreak,
});
const FAULT_AT = 1_000;
const lost = [
  row(1, 7, 990),
  row(1, 8, 1_200, true),
  row(2, 4, 1_010, true),
  row(2, 9, 1_900, true),
];

describe("a lost row", () => {
  it("is a broken promise in every synchronous mode", () => {
    for (const mode of ["on", "quorum"] as const) {
      const broken = brokenPromises(lost, { mode, mayLose: "since the fault", faultAt: FAULT_AT });
      expect(broken).toEqual(lost);
    }
  });

  it("is a broken promise when the fault takes no server's last words", () => {
    const broken = brokenPromises(lost, { mode: "off", mayLose: "nothing", faultAt: FAULT_AT });
    expect(broken).toEqual(lost);
  });

  it("is excused once a worker, when its connection broke right after it", () => {
    const broken = brokenPromises(lost, { mode: "off", mayLose: "in flight", faultAt: FAULT_AT });
    expect(broken).toEqual([lost[0], lost[3]]);
  });

  it("is excused after the primary was cut off, and never before", () => {
    const circumstances = { mode: "off", mayLose: "since the fault", faultAt: FAULT_AT } as const;
    expect(brokenPromises(lost, circumstances)).toEqual([lost[0]]);
  });
});
