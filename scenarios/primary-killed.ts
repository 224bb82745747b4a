// The postmaster of the primary dies: a standby that has every byte takes over within moments.
import type { Scenario } from "../src/scenario/scenario.ts";

export const primaryKilled: Scenario = {
  name: "primary-killed",
  story:
    "The postmaster of the primary dies: a standby that has every byte takes over within moments.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "killPostmaster", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [0, 1], longestPauseMs: 1_500, losesNothing: true, fences: [0, 0] },
};
