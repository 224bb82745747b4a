// The primary is gone and the two voters cannot reach each other: nobody can know that no commit is missing.
import type { Scenario } from "../src/scenario/scenario.ts";

export const quorumWithoutVotes: Scenario = {
  name: "quorum-without-votes",
  story:
    "The host of the primary dies while the two voters cannot reach each other: nobody can know that no commit is missing, so nobody leads before they can.",
  nodes: 3,
  config: { synchronous_mode: "quorum" },
  faults: [
    { atMs: 30_000, forMs: 60_000, verb: { do: "killHost", node: "primary" } },
    { atMs: 30_000, forMs: 30_000, verb: { do: "cutFromPeers", node: "other" } },
  ],
  healAtMs: 100_000,
  endAtMs: 170_000,
  expect: { losesNothing: true, promotions: [1, 1], reasons: ["race_no_quorum"] },
};
