// The store is away for minutes: every standby promises not to race, and the primary never pauses.
import type { Scenario } from "../src/scenario/scenario.ts";

export const storeAwayPeersPromise: Scenario = {
  name: "store-away-peers-promise",
  story:
    "The store is away for minutes: every standby promises not to race, and the primary never pauses.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 120000, verb: { do: "storeDown" } }],
  healAtMs: 155000,
  endAtMs: 200000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    fences: [0, 0],
    longestPauseMs: 2000,
    losesNothing: true,
    reasons: ["store_unread_peers_promised"],
  },
};
