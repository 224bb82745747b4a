// Every host loses its power at once and comes back: the member with the most data leads.
import type { Scenario } from "../src/scenario/scenario.ts";

export const restartOfEverything: Scenario = {
  name: "restart-of-everything",
  story: "Every host loses its power at once and comes back: the member with the most data leads.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 10000, verb: { do: "killHost", node: "n1" } },
    { atMs: 30000, forMs: 12000, verb: { do: "killHost", node: "n2" } },
    { atMs: 30000, forMs: 11000, verb: { do: "killHost", node: "n3" } },
  ],
  healAtMs: 50000,
  endAtMs: 150000,
  expect: { promotions: [0, 1] },
};
