// The primary is cut from the store for longer than slots are kept, and goes on: nobody takes it for a member that left.
import type { Scenario } from "../src/scenario/scenario.ts";

export const primaryCutForLong: Scenario = {
  name: "primary-cut-for-long",
  story:
    "The primary is cut from the store for longer than slots are kept, and goes on: nobody takes it for a member that left.",
  nodes: 3,
  config: { member_slots_ttl: 60 },
  faults: [{ atMs: 30_000, forMs: 90_000, verb: { do: "cutFromStore", node: "primary" } }],
  healAtMs: 125_000,
  endAtMs: 180_000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    fences: [0, 0],
    longestPauseMs: 2_000,
    losesNothing: true,
    reasons: ["lead_taking_key_anew"],
  },
};
