// The old primary loses the store while it hands over.
import type { Scenario } from "../src/scenario/scenario.ts";

export const switchoverUnderACut: Scenario = {
  name: "switchover-under-a-cut",
  story: "The old primary loses the store while it hands over.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "switchover", candidate: "standby" } },
    { atMs: 30150, forMs: 20000, verb: { do: "cutFromStore", node: "primary" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [0, 1], losesNothing: true },
};
