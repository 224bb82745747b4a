// A standby below another one loses it, streams from the leader, returns to it, and follows it through a failover.
import type { Scenario } from "../src/scenario/scenario.ts";

export const cascadeSurvives: Scenario = {
  name: "cascade-survives",
  story:
    "A standby below another one loses it, streams from the leader, returns to it, and follows it through a failover.",
  nodes: 4,
  tags: { n4: { replicatefrom: "n3" }, n3: { replicatefrom: "n2" } },
  faults: [
    { atMs: 30_000, forMs: 30_000, verb: { do: "killHost", node: "n3" } },
    { atMs: 90_000, forMs: 20_000, verb: { do: "killHost", node: "primary" } },
  ],
  healAtMs: 130_000,
  endAtMs: 180_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    reasons: ["follow_repointing"],
  },
};
