// A person asks for a failover to a named member.
import type { Scenario } from "../src/scenario/scenario.ts";

export const failoverByHand: Scenario = {
  name: "failover-by-hand",
  story: "A person asks for a failover to a named member.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "failover", candidate: "standby" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [1, 1], losesNothing: true },
};
