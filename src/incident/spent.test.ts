// Does each outage find what spent it, and is only a chosen one planned?
import { describe, expect, it } from "vitest";
import { attributed } from "./spent.ts";

const CAUSE = { code: "unknown", confidence: "unknown", sentence: "", evidence: [] } as const;
const incident = (id: string, kind: "switchover" | "failover", startedAt: number) => ({
  id,
  kind,
  cause: CAUSE,
  startedAt,
  writableAt: startedAt + 5_000,
  endedAt: startedAt + 6_000,
});
const incidents = [
  incident("I-20261105-130000", "failover", 100_000),
  incident("I-20261105-140000", "switchover", 900_000),
];

describe("what spent the budget", () => {
  it("is the incident of that time, planned only if it was chosen", () => {
    const outages = [
      { from: 98_000, to: 106_000, planned: false },
      { from: 901_000, to: 902_000, planned: false },
    ];
    expect(attributed(outages, incidents)).toEqual([
      { ...outages[0], planned: false, incident: "I-20261105-130000" },
      { ...outages[1], planned: true, incident: "I-20261105-140000" },
    ]);
  });

  it("is unknown where nothing happened at that time", () => {
    const outage = { from: 400_000, to: 401_000, planned: false };
    expect(attributed([outage], incidents)).toEqual([outage]);
  });

  it("is what still goes on", () => {
    const open = { ...incident("I-20261105-150000", "failover", 2_000_000), endedAt: undefined };
    const outage = { from: 2_001_000, to: undefined, planned: false };
    expect(attributed([outage], [open])[0]).toMatchObject({ incident: open.id });
  });
});
