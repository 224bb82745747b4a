// The host of the primary loses its power: a standby takes over once the last hold has run out.
import type { Scenario } from "../src/scenario/scenario.ts";

export const hostDies: Scenario = {
  name: "host-dies",
  story:
    "The host of the primary loses its power: a standby takes over once the last hold has run out.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 40000, verb: { do: "killHost", node: "primary" } }],
  healAtMs: 75000,
  endAtMs: 150000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], longestPauseMs: 11_500 },
};
