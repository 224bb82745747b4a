// The fence of the primary dies: the server goes down with it, and service comes back at once.
import type { Scenario } from "../src/scenario/scenario.ts";

export const fenceKilled: Scenario = {
  name: "fence-killed",
  story:
    "The fence of the primary dies: the server goes down with it, and service comes back at once.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "killFence", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [0, 1], longestPauseMs: 3_000, losesNothing: true },
};
