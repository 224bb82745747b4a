// A standby's copy of a logical slot is younger than the first primary, and the second one's host falls asleep.
import type { Scenario } from "../src/scenario/scenario.ts";

export const secondPrimarySleeps: Scenario = {
  name: "second-primary-sleeps",
  story:
    "A standby is made anew under the second primary, which keeps what the new copy of a logical slot needs; when that primary's host falls asleep, the standby takes over and offers the slot.",
  nodes: 3,
  config: { slots: { cdc: { type: "logical", database: "postgres", plugin: "pgoutput" } } },
  faults: [
    { atMs: 40_000, forMs: 80_000, verb: { do: "tightenDisk", node: "primary" } },
    { atMs: 55_000, verb: { do: "reinit", node: "other" } },
    { atMs: 80_000, forMs: 30_000, verb: { do: "suspendHost", node: "primary" } },
  ],
  healAtMs: 120_000,
  endAtMs: 170_000,
  expect: { primaryAtEnd: "another", promotions: [2, 2], slotsAtEnd: ["cdc"] },
};
