// The store goes away right after a promotion and the new primary dies: who streamed from it knows what it has.
import type { Scenario } from "../src/scenario/scenario.ts";

export const storeAwayAfterPromotion: Scenario = {
  name: "store-away-after-promotion",
  story:
    "The store goes away right after a promotion and the new primary dies: the standby that streamed from it leads.",
  nodes: 3,
  faults: [
    { atMs: 30_000, verb: { do: "switchover", candidate: "n2" } },
    { atMs: 30_503, forMs: 20_000, verb: { do: "storeDown" } },
    { atMs: 34_000, forMs: 60_000, verb: { do: "killHost", node: "n2" } },
  ],
  healAtMs: 125_000,
  endAtMs: 180_000,
  expect: { primaryAtEnd: "another", promotions: [2, 2], longestPauseMs: 25_000 },
};
