// The host of the primary sleeps for half a minute and wakes up to another leader.
import type { Scenario } from "../src/scenario/scenario.ts";

export const hostSuspended: Scenario = {
  name: "host-suspended",
  story: "The host of the primary sleeps for half a minute and wakes up to another leader.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "suspendHost", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "another", promotions: [1, 1] },
};
