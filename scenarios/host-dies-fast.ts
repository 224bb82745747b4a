// With a ttl of five seconds a dead host is replaced in about five.
import type { Scenario } from "../src/scenario/scenario.ts";

export const hostDiesFast: Scenario = {
  name: "host-dies-fast",
  story: "With a ttl of five seconds a dead host is replaced in about five.",
  nodes: 3,
  config: { ttl: 5, loop_wait: 1 },
  faults: [{ atMs: 30000, forMs: 40000, verb: { do: "killHost", node: "primary" } }],
  healAtMs: 75000,
  endAtMs: 150000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], longestPauseMs: 6_800 },
};
