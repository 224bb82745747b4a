// Agent and fence of the primary stand still together while it goes on: the votes make it harmless.
import type { Scenario } from "../src/scenario/scenario.ts";

export const quorumPrimaryUnguarded: Scenario = {
  name: "quorum-primary-unguarded",
  story:
    "Agent and fence of the primary are stopped together and nobody ends the server: once the voters have stopped receiving, it can acknowledge nothing more that the new primary lacks.",
  nodes: 3,
  config: { synchronous_mode: "quorum", ttl: 5, loop_wait: 1 },
  faults: [
    { atMs: 30_000, forMs: 40_000, verb: { do: "stopFence", node: "primary" } },
    { atMs: 30_050, forMs: 40_000, verb: { do: "stopAgent", node: "primary" } },
  ],
  healAtMs: 100_000,
  endAtMs: 170_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 2],
    losesNothing: true,
    reasons: ["lead_counting_votes", "follow_revoking"],
  },
};
