// The postmaster of the primary is stopped while its backends go on: it is ended by force.
import type { Scenario } from "../src/scenario/scenario.ts";

export const stoppedPostmaster: Scenario = {
  name: "stopped-postmaster",
  story: "The postmaster of the primary is stopped while its backends go on: it is ended by force.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 60000, verb: { do: "hangServer", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [0, 1], losesNothing: true },
};
