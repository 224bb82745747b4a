// Is a failover on purpose judged by what was measured, and is what nobody could say never taken for good?
import { describe, expect, it } from "vitest";
import { findingsOf, type Measured, verdictOf } from "./judge.ts";

const LIMITS = { maxPauseMs: 10_000, settleMs: 120_000 };

const measured = (change: Partial<Measured> = {}): Measured => ({
  kind: "crash",
  from: "n1",
  refusal: undefined,
  primaryAfter: "n2",
  pauses: [
    { by: "n3 over direct", ms: 2_100, how: "probe writes" },
    { by: "the drill's own probe, on n3", ms: 2_300, how: "" },
  ],
  settledMs: 4_000,
  positionBefore: "0/5000000",
  positionAfter: "0/5001000",
  acknowledged: "0/5000100",
  history: { kind: "new", from: "0/5000200" },
  incident: { id: "I-1", isOver: true, lost: "nothing", isLost: "no", lostBytes: 0, open: [] },
  ...change,
});

const judged = (change: Partial<Measured>) => {
  const findings = findingsOf(measured(change), LIMITS);
  const bad = findings.filter(({ kept }) => kept !== "yes");
  return { verdict: verdictOf(findings), bad: bad.map(({ name, kept }) => `${name} ${kept}`) };
};

describe("a failover on purpose", () => {
  it("has passed when every promise was kept", () => {
    expect(judged({})).toEqual({ verdict: "passed", bad: [] });
  });

  it.each<[string, Partial<Measured>]>([
    ["carried-out no", { refusal: "switchover_refused" }],
    ["write-pause no", { pauses: [{ by: "a", ms: 10_001, how: "" }] }],
    ["position-kept no", { positionAfter: "0/4FFFFFF" }],
    ["acknowledged-kept no", { acknowledged: "0/5000200" }],
    [
      "nothing-lost no",
      {
        incident: {
          id: "I-1",
          isOver: true,
          lost: "16 kB",
          isLost: "possible",
          lostBytes: 16_384,
          open: [],
        },
      },
    ],
    ["everyone-streams no", { settledMs: undefined }],
    ["leader no", { primaryAfter: undefined }],
    ["leader no", { kind: "switchover", primaryAfter: "n1" }],
    [
      "incident-told no",
      { incident: { id: "I-1", isOver: false, lost: "", isLost: "no", lostBytes: 0, open: [] } },
    ],
    [
      "incident-told no",
      {
        incident: {
          id: "I-1",
          isOver: true,
          lost: "",
          isLost: "no",
          lostBytes: 0,
          open: ["routed"],
        },
      },
    ],
  ])("has failed by name: %s", (name, change) => {
    expect(judged(change)).toEqual({ verdict: "failed", bad: [name] });
  });

  it("is unknown where nobody could measure it", () => {
    expect(judged({ pauses: [{ by: "a", how: "no write came through" }] })).toEqual({
      verdict: "unknown",
      bad: ["write-pause unknown"],
    });
    expect(judged({ positionAfter: undefined }).bad).toEqual(["position-kept unknown"]);
    expect(judged({ acknowledged: undefined }).bad).toEqual(["acknowledged-kept unknown"]);
  });

  it("is unknown where the old primary's end is, and has failed where bytes are known to be lost", () => {
    const told = { id: "I-1", isOver: true, lost: "nothing that is known", open: [] };
    const incident = { ...told, isLost: "possible", lostBytes: 0 } as const;
    expect(judged({ incident })).toEqual({ verdict: "unknown", bad: ["nothing-lost unknown"] });
    expect(judged({ incident: { ...incident, lostBytes: 1 } }).verdict).toBe("failed");
  });

  it("may leave the primary where it is after a crash, with its history whole", () => {
    const incident = {
      id: "I-1",
      isOver: true,
      lost: undefined,
      isLost: undefined,
      lostBytes: 0,
      open: [],
    };
    expect(judged({ primaryAfter: "n1", history: { kind: "same" }, incident })).toEqual({
      verdict: "passed",
      bad: [],
    });
  });

  it("has kept nothing that anybody knows of while its history could not be read", () => {
    const incident = {
      id: "I-1",
      isOver: true,
      lost: undefined,
      isLost: undefined,
      lostBytes: 0,
      open: [],
    };
    expect(judged({ history: undefined, incident })).toEqual({
      verdict: "unknown",
      bad: ["acknowledged-kept unknown", "nothing-lost unknown"],
    });
  });
});
