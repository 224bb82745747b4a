// The agent of the primary leaves for an upgrade and is back in two seconds: PostgreSQL runs on.
import type { Scenario } from "../src/scenario/scenario.ts";

export const detachAndBack: Scenario = {
  name: "detach-and-back",
  story:
    "The agent of the primary leaves for an upgrade and is back in two seconds: PostgreSQL runs on.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 2000, verb: { do: "detach", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "first", promotions: [0, 0], longestPauseMs: 500, losesNothing: true },
};
