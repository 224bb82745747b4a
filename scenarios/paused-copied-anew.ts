// A standby that is asked to be copied anew in a pause, while nobody leads, was not asked to lead.
import type { Scenario } from "../src/scenario/scenario.ts";

export const pausedCopiedAnew: Scenario = {
  name: "paused-copied-anew",
  story:
    "A standby that is asked to be copied anew in a pause, while nobody leads, was not asked to lead.",
  nodes: 3,
  faults: [
    { atMs: 30_000, forMs: 70_000, verb: { do: "pause" } },
    { atMs: 35_000, forMs: 60_000, verb: { do: "killHost", node: "primary" } },
    { atMs: 75_000, verb: { do: "reinit", node: "n2" } },
  ],
  healAtMs: 110_000,
  endAtMs: 200_000,
  expect: { promotions: [0, 1], losesNothing: true, reasons: ["reinitialising"] },
};
