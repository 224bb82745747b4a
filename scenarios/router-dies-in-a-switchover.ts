// A router dies before it can answer: the switchover waits for it no longer than the router itself said that it needs.
import type { Scenario } from "../src/scenario/scenario.ts";

export const routerDiesInASwitchover: Scenario = {
  name: "router-dies-in-a-switchover",
  story:
    "A router dies before it can answer: the switchover waits for it no longer than the router itself said that it needs.",
  nodes: 3,
  routers: 2,
  faults: [
    { atMs: 29_500, forMs: 40_000, verb: { do: "killRouter", router: "r2" } },
    { atMs: 30_000, verb: { do: "switchover", candidate: "standby" } },
  ],
  healAtMs: 80_000,
  endAtMs: 140_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    losesNothing: true,
    fences: [0, 0],
    reasons: ["switchover_waiting_for_routers", "switchover_handing_over"],
  },
};
