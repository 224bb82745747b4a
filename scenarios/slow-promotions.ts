// Both standbys need longer for a promotion than allowed: the second try of one of them may take twice as long.
import type { Scenario } from "../src/scenario/scenario.ts";

export const slowPromotions: Scenario = {
  name: "slow-promotions",
  story:
    "Both standbys need longer for a promotion than allowed: the second try of one of them may take twice as long.",
  nodes: 3,
  config: { primary_start_timeout: 3 },
  faults: [
    { atMs: 28000, forMs: 120000, verb: { do: "slowDisk", node: "n2", slowMs: 4000 } },
    { atMs: 28000, forMs: 120000, verb: { do: "slowDisk", node: "n3", slowMs: 4000 } },
    { atMs: 30000, forMs: 110000, verb: { do: "killHost", node: "n1" } },
  ],
  healAtMs: 150000,
  endAtMs: 210000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    longestPauseMs: 60_000,
    reasons: ["promotion_too_slow"],
  },
};
