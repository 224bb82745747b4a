// The data of another cluster lie in the place of a standby's: they are not started and not removed.
import type { Scenario } from "../src/scenario/scenario.ts";

export const dataOfAnotherCluster: Scenario = {
  name: "data-of-another-cluster",
  story:
    "The data of another cluster lie in the place of a standby's: they are not started and not removed.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 20000, verb: { do: "foreignData", node: "standby", isJunk: false } },
  ],
  healAtMs: 60000,
  endAtMs: 150000,
  expect: {
    primaryAtEnd: "first",
    losesNothing: true,
    fences: [0, 0],
    reasons: ["foreign_system_id"],
  },
};
