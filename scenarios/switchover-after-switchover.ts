// Two switchovers are asked for within a second: the new leader waits until the standbys have come over to it.
import type { Scenario } from "../src/scenario/scenario.ts";

export const switchoverAfterSwitchover: Scenario = {
  name: "switchover-after-switchover",
  story:
    "Two switchovers are asked for within a second: the new leader waits until the standbys have come over to it.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "switchover", candidate: "standby" } },
    { atMs: 30490, verb: { do: "switchover", candidate: "standby" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: {
    promotions: [2, 2],
    losesNothing: true,
    fences: [0, 0],
  },
};
