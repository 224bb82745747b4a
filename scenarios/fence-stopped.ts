// The fence of the primary is stopped: its agent notices and replaces it.
import type { Scenario } from "../src/scenario/scenario.ts";

export const fenceStopped: Scenario = {
  name: "fence-stopped",
  story: "The fence of the primary is stopped: its agent notices and replaces it.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 20000, verb: { do: "stopFence", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [0, 1], longestPauseMs: 5_000, losesNothing: true },
};
