// The disk of the primary is full and its server still runs: a standby takes over, by a clean stop.
import type { Scenario } from "../src/scenario/scenario.ts";

export const diskAlmostFull: Scenario = {
  name: "disk-almost-full",
  story:
    "The disk of the primary is full and its server still runs: a standby takes over, by a clean stop.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "tightenDisk", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    fences: [0, 0],
    losesNothing: true,
    reasons: ["lead_disk_full"],
  },
};
