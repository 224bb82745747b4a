// The host of the primary dies in quorum mode: the winner hears another voter, which has stopped receiving.
import type { Scenario } from "../src/scenario/scenario.ts";

export const quorumHostDies: Scenario = {
  name: "quorum-host-dies",
  story:
    "Any one of two standbys acknowledges. The host of the primary dies: the winner counts the vote of the other, which has stopped receiving, before it is promoted.",
  nodes: 3,
  config: { synchronous_mode: "quorum" },
  faults: [{ atMs: 30_000, forMs: 60_000, verb: { do: "killHost", node: "primary" } }],
  healAtMs: 100_000,
  endAtMs: 170_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    losesNothing: true,
    reasons: ["lead_counting_votes", "follow_revoking"],
  },
};
