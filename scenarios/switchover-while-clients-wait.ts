// Clients wait already, because the primary hangs, when a switchover is asked for and slow disks delay it: their pause does not begin anew.
import type { Scenario } from "../src/scenario/scenario.ts";

export const switchoverWhileClientsWait: Scenario = {
  name: "switchover-while-clients-wait",
  story:
    "Clients wait already, because the primary hangs, when a switchover is asked for and slow disks delay it: their pause does not begin anew.",
  nodes: 3,
  routers: 1,
  faults: [
    { atMs: 30_000, forMs: 40_000, verb: { do: "hangServer", node: "primary" } },
    { atMs: 31_600, verb: { do: "switchover" } },
    { atMs: 32_000, forMs: 30_000, verb: { do: "slowStandby", node: "n2", slowMs: 9_000 } },
    { atMs: 32_000, forMs: 30_000, verb: { do: "slowStandby", node: "n3", slowMs: 9_000 } },
  ],
  healAtMs: 80_000,
  endAtMs: 140_000,
  expect: {
    primaryAtEnd: "first",
    reasons: ["route_suspecting", "route_holding", "switchover_abandoned"],
  },
};
