// A logical slot is lost in a failover, and then a standby is made anew: it has no copy, and nobody has one to give.
import type { Scenario } from "../src/scenario/scenario.ts";

export const lostSlotIsNotAskedFor: Scenario = {
  name: "lost-slot-is-not-asked-for",
  story:
    "A logical slot is lost in a failover, and then a standby is made anew: the leader has no slot of which it could get a copy, so it follows without one.",
  nodes: 3,
  config: { slots: { cdc: { type: "logical", database: "postgres", plugin: "pgoutput" } } },
  faults: [
    { atMs: 8_000, forMs: 30_000, verb: { do: "killHost", node: "primary" } },
    { atMs: 45_000, verb: { do: "reinit", node: "other" } },
  ],
  healAtMs: 60_000,
  endAtMs: 150_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    reasons: ["lead_dropping_copies", "slots_copying"],
    slotsAtEnd: [],
  },
};
