// The disk of the primary is full: a standby leads.
import type { Scenario } from "../src/scenario/scenario.ts";

export const diskFull: Scenario = {
  name: "disk-full",
  story: "The disk of the primary is full: a standby leads.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "fillDisk", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [1, 1], losesNothing: true },
};
