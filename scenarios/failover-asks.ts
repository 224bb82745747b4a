// With `failover: ask` nobody takes over from a dead host before a person has said so.
import type { Scenario } from "../src/scenario/scenario.ts";

export const failoverAsks: Scenario = {
  name: "failover-asks",
  story: "With failover: ask nobody takes over from a dead host before a person has said so.",
  nodes: 3,
  config: { failover: "ask" },
  faults: [
    { atMs: 30000, forMs: 60000, verb: { do: "killHost", node: "primary" } },
    { atMs: 50000, verb: { do: "failover", candidate: "other" } },
  ],
  healAtMs: 90000,
  endAtMs: 150000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], reasons: ["race_asking"] },
};
