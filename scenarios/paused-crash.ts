// During a pause nothing is restarted; afterwards the primary is back.
import type { Scenario } from "../src/scenario/scenario.ts";

export const pausedCrash: Scenario = {
  name: "paused-crash",
  story: "During a pause nothing is restarted; afterwards the primary is back.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 20000, verb: { do: "pause" } },
    { atMs: 35000, verb: { do: "killPostmaster", node: "primary" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [0, 1] },
};
