// The primary's host dies when its routers have just paused: their clients wait for the next one, and for no longer than allowed.
import type { Scenario } from "../src/scenario/scenario.ts";

export const leaderDiesWhileClientsWait: Scenario = {
  name: "leader-dies-while-clients-wait",
  story:
    "The primary's host dies when its routers have just paused: their clients wait for the next one, and for no longer than allowed.",
  nodes: 3,
  routers: 2,
  faults: [
    { atMs: 30_000, verb: { do: "switchover", candidate: "standby" } },
    { atMs: 30_180, verb: { do: "killHost", node: "primary" } },
  ],
  healAtMs: 80_000,
  endAtMs: 140_000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], reasons: ["route_held"] },
};
