// A person asks for a switchover: routers pause their clients before the old primary stops, and let them go on at the new one.
import type { Scenario } from "../src/scenario/scenario.ts";

export const switchoverBehindARouter: Scenario = {
  name: "switchover-behind-a-router",
  story:
    "A person asks for a switchover: routers pause their clients before the old primary stops, and let them go on at the new one.",
  nodes: 3,
  routers: 2,
  faults: [{ atMs: 30_000, verb: { do: "switchover", candidate: "standby" } }],
  healAtMs: 60_000,
  endAtMs: 120_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    longestPauseMs: 1_500,
    losesNothing: true,
    fences: [0, 0],
    reasons: [
      "switchover_waiting_for_routers",
      "route_holding",
      "route_held",
      "switchover_stopping",
      "route_pointing",
    ],
  },
};
