// A client keeps a transaction open: the switchover is given up before anything has been stopped, and says who blocked it.
import type { Scenario } from "../src/scenario/scenario.ts";

export const switchoverBlockedByAClient: Scenario = {
  name: "switchover-blocked-by-a-client",
  story:
    "A client keeps a transaction open: the switchover is given up before anything has been stopped, and says who blocked it.",
  nodes: 3,
  routers: 2,
  faults: [
    { atMs: 29_000, forMs: 20_000, verb: { do: "holdTransaction", router: "r2" } },
    { atMs: 30_000, verb: { do: "switchover", candidate: "standby" } },
  ],
  healAtMs: 60_000,
  endAtMs: 120_000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    losesNothing: true,
    fences: [0, 0],
    reasons: ["switchover_waiting_for_routers", "route_busy", "switchover_blocked"],
  },
};
