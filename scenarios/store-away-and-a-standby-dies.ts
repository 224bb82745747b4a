// The store is away and a standby dies: the primary gives up in time and nobody leads before the store is back.
import type { Scenario } from "../src/scenario/scenario.ts";

export const storeAwayAndAStandbyDies: Scenario = {
  name: "store-away-and-a-standby-dies",
  story:
    "The store is away and a standby dies: the primary gives up in time and nobody leads before the store is back.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 60000, verb: { do: "storeDown" } },
    { atMs: 45000, forMs: 60000, verb: { do: "killHost", node: "other" } },
  ],
  healAtMs: 110000,
  endAtMs: 170000,
  expect: {
    promotions: [0, 1],
    fences: [0, 1],
    reasons: ["store_unread_peers_promised", "store_unread_demoting"],
  },
};
