// A configured logical slot is copied to the standbys and is there, and safe to read from, when one of them takes over.
import type { Scenario } from "../src/scenario/scenario.ts";

export const logicalSlotSurvives: Scenario = {
  name: "logical-slot-survives",
  story:
    "A configured logical slot is copied to the standbys and is there, and safe to read from, when one of them takes over.",
  nodes: 3,
  config: { slots: { cdc: { type: "logical", database: "postgres", plugin: "pgoutput" } } },
  faults: [{ atMs: 40_000, forMs: 30_000, verb: { do: "killHost", node: "primary" } }],
  healAtMs: 90_000,
  endAtMs: 140_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    reasons: ["slots_copying"],
    slotsAtEnd: ["cdc"],
  },
};
