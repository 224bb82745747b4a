// The store has lost everything: nothing is promoted until the member that led last has told it about the cluster again.
import type { Scenario } from "../src/scenario/scenario.ts";

export const storeLostForGood: Scenario = {
  name: "store-lost-for-good",
  story:
    "The store has lost everything: nothing is promoted until the member that led last has told it about the cluster again.",
  nodes: 3,
  faults: [
    { atMs: 30_000, verb: { do: "switchover", candidate: "n2" } },
    { atMs: 40_000, verb: { do: "loseStore" } },
    { atMs: 60_000, verb: { do: "repopulate", node: "n1" } },
    { atMs: 70_000, verb: { do: "repopulate", node: "n2" } },
    { atMs: 100_000, verb: { do: "switchover", candidate: "n3" } },
  ],
  healAtMs: 110_000,
  endAtMs: 160_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [3, 3],
    losesNothing: true,
    longestPauseMs: 45_000,
    reasons: ["store_changed"],
  },
};
