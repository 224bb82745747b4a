// The fence ends a primary whose standbys are a moment behind: what it acknowledged last reaches them all the same.
import type { Scenario } from "../src/scenario/scenario.ts";

export const fencedPrimaryParts: Scenario = {
  name: "fenced-primary-parts",
  story:
    "The fence ends a primary whose standbys are a moment behind: what it acknowledged last reaches them all the same.",
  nodes: 3,
  faults: [
    { atMs: 28000, forMs: 30000, verb: { do: "slowStandby", node: "standby", slowMs: 150 } },
    { atMs: 28000, forMs: 30000, verb: { do: "slowStandby", node: "other", slowMs: 150 } },
    { atMs: 30000, forMs: 30000, verb: { do: "killAgent", node: "primary" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], fences: [1, 1], losesNothing: true },
};
