// The primary crashes in a pause while both standbys lag; when the pause ends they wait for its server to come up.
import type { Scenario } from "../src/scenario/scenario.ts";

export const pauseEndsBeforeTheStart: Scenario = {
  name: "pause-ends-before-the-start",
  story:
    "The primary crashes in a pause while both standbys lag; when the pause ends they wait for its server to come up.",
  nodes: 3,
  faults: [
    { atMs: 28000, forMs: 40000, verb: { do: "slowStandby", node: "standby", slowMs: 4000 } },
    { atMs: 28000, forMs: 40000, verb: { do: "slowStandby", node: "other", slowMs: 4000 } },
    { atMs: 30000, forMs: 25000, verb: { do: "pause" } },
    { atMs: 34000, verb: { do: "killPostmaster", node: "primary" } },
  ],
  healAtMs: 80000,
  endAtMs: 140000,
  expect: { primaryAtEnd: "first", promotions: [1, 1], losesNothing: true },
};
