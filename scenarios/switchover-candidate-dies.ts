// The candidate dies in the middle of a switchover: the old primary goes on, or another takes over, and nothing is lost.
import type { Scenario } from "../src/scenario/scenario.ts";

export const switchoverCandidateDies: Scenario = {
  name: "switchover-candidate-dies",
  story:
    "The candidate dies in the middle of a switchover: the old primary goes on, or another takes over, and nothing is lost.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "switchover", candidate: "n2" } },
    { atMs: 30100, forMs: 20000, verb: { do: "killHost", node: "n2" } },
    { atMs: 30000, verb: { do: "killPostmaster", node: "n9" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [0, 1], losesNothing: true },
};
