// A standby whose own pre_promote command says no gives the leadership back, and another one takes it.
import type { Scenario } from "../src/scenario/scenario.ts";

export const ownCommandRefuses: Scenario = {
  name: "own-command-refuses",
  story: "The winner of the race is held back by its own command: the other standby leads.",
  nodes: 3,
  faults: [
    { atMs: 20000, verb: { do: "refusePromotion", node: "n3" } },
    { atMs: 30000, verb: { do: "failover", candidate: "n3" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [1, 1], longestPauseMs: 4_000, reasons: ["race_standing_back"] },
};
