// The primary's host dies: a router keeps clients waiting until another member has proved that it takes writes.
import type { Scenario } from "../src/scenario/scenario.ts";

export const routerFollowsFailover: Scenario = {
  name: "router-follows-failover",
  story:
    "The primary dies: a router keeps clients waiting until another member has proved that it takes writes.",
  nodes: 3,
  routers: 1,
  faults: [{ atMs: 30_000, verb: { do: "killPostmaster", node: "primary" } }],
  healAtMs: 60_000,
  endAtMs: 120_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    losesNothing: true,
    reasons: [
      "route_suspecting",
      "route_waiting_for_primary",
      "route_pointing",
      "route_cutting_old",
      "routing",
    ],
  },
};
