// Only the primary is cut from the store: its key ends, all others promised, and it takes the key anew.
import type { Scenario } from "../src/scenario/scenario.ts";

export const keyEndsWhilePeersPromise: Scenario = {
  name: "key-ends-while-peers-promise",
  story:
    "Only the primary is cut from the store: its key ends, all others promised, and it takes the key anew.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 60000, verb: { do: "cutFromStore", node: "primary" } }],
  healAtMs: 95000,
  endAtMs: 150000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    fences: [0, 0],
    longestPauseMs: 2000,
    losesNothing: true,
    reasons: ["race_promised_to_peer", "lead_taking_key_anew"],
  },
};
