// The primary dies before it has kept catalog rows for a standby's new copy: the copy is dropped, not offered.
import type { Scenario } from "../src/scenario/scenario.ts";

export const logicalCopyTooYoung: Scenario = {
  name: "logical-copy-too-young",
  story:
    "The primary dies before it has kept catalog rows for a standby's new copy: the copy is dropped, not offered.",
  nodes: 3,
  config: { slots: { cdc: { type: "logical", database: "postgres", plugin: "pgoutput" } } },
  faults: [{ atMs: 8_000, forMs: 30_000, verb: { do: "killHost", node: "primary" } }],
  healAtMs: 60_000,
  endAtMs: 110_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    reasons: ["lead_dropping_copies"],
    slotsAtEnd: [],
  },
};
