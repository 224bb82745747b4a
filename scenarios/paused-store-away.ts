// Maintenance of the store: it is away for a minute, the pause ends meanwhile, and the primary never stops.
import type { Scenario } from "../src/scenario/scenario.ts";

export const pausedStoreAway: Scenario = {
  name: "paused-store-away",
  story:
    "In a pause the primary needs no store; when the pause ends meanwhile, it is guarded as soon as the store is back.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "pause", endsInMs: 40000 } },
    { atMs: 40000, forMs: 60000, verb: { do: "storeDown" } },
    { atMs: 55000, forMs: 30000, verb: { do: "isolate", node: "primary" } },
    { atMs: 60000, forMs: 15000, verb: { do: "killAgent", node: "primary" } },
  ],
  healAtMs: 110000,
  endAtMs: 150000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    fences: [0, 0],
    reasons: ["paused", "pause_ending"],
  },
};
