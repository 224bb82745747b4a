// Acquires land long after they were given up: whoever wins looks again before it leads.
import type { Scenario } from "../src/scenario/scenario.ts";

export const lateAcquireLands: Scenario = {
  name: "late-acquire-lands",
  story: "Acquires land long after they were given up: whoever wins looks again before it leads.",
  nodes: 3,
  faults: [
    { atMs: 29000, forMs: 40000, verb: { do: "applyLate", node: "n2", share: 0.9 } },
    { atMs: 29000, forMs: 40000, verb: { do: "applyLate", node: "n3", share: 0.9 } },
    { atMs: 30000, forMs: 30000, verb: { do: "killHost", node: "primary" } },
  ],
  healAtMs: 75000,
  endAtMs: 170000,
  expect: { promotions: [1, 3] },
};
