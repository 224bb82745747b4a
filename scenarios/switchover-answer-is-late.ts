// The candidate of a switchover is late with one answer: that is no no, the leader asks again and hands over.
import type { Scenario } from "../src/scenario/scenario.ts";

export const switchoverAnswerIsLate: Scenario = {
  name: "switchover-answer-is-late",
  story:
    "The candidate of a switchover is late with one answer: that is no no, the leader asks again and hands over.",
  nodes: 3,
  faults: [
    { atMs: 29_900, forMs: 1_000, verb: { do: "cutFromPeers", node: "n2" } },
    { atMs: 30_000, verb: { do: "switchover", candidate: "n2" } },
  ],
  healAtMs: 60_000,
  endAtMs: 120_000,
  expect: { promotions: [1, 1], primaryAtEnd: "another", losesNothing: true, fences: [0, 0] },
};
