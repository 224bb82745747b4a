// The dead host carried the store's leader too: its election delays nothing much.
import type { Scenario } from "../src/scenario/scenario.ts";

export const hostDiesWithStoreLeader: Scenario = {
  name: "host-dies-with-store-leader",
  story: "The dead host carried the store's leader too: its election delays nothing much.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 40000, verb: { do: "killHost", node: "n1" } }],
  healAtMs: 75000,
  endAtMs: 150000,
  expect: { promotions: [0, 1], longestPauseMs: 11_500 },
};
