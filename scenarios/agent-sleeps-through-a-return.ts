// An agent stands still while an absent member comes and goes again: what it has slept through is no absence.
import type { Scenario } from "../src/scenario/scenario.ts";

export const agentSleepsThroughAReturn: Scenario = {
  name: "agent-sleeps-through-a-return",
  story:
    "An agent stands still while an absent member comes and goes again: what it has slept through is no absence.",
  nodes: 3,
  config: { member_slots_ttl: 60 },
  faults: [
    { atMs: 30_000, forMs: 55_000, verb: { do: "killHost", node: "n3" } },
    { atMs: 75_000, forMs: 55_000, verb: { do: "stopAgent", node: "n1" } },
    { atMs: 100_000, forMs: 60_000, verb: { do: "killHost", node: "n3" } },
  ],
  healAtMs: 165_000,
  endAtMs: 225_000,
  expect: { promotions: [1, 1], primaryAtEnd: "another" },
};
