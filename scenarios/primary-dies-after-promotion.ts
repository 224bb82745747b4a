// A new primary dies before the standbys have written down whose history they are on: they are on it all the same.
import type { Scenario } from "../src/scenario/scenario.ts";

export const primaryDiesAfterPromotion: Scenario = {
  name: "primary-dies-after-promotion",
  story:
    "A new primary dies before its standbys have written down whose history they are on: one of them leads all the same.",
  nodes: 3,
  faults: [
    { atMs: 30_000, verb: { do: "switchover", candidate: "n2" } },
    { atMs: 30_506, forMs: 60_000, verb: { do: "killHost", node: "n2" } },
  ],
  healAtMs: 95_000,
  endAtMs: 150_000,
  expect: { promotions: [2, 2], longestPauseMs: 25_000 },
};
