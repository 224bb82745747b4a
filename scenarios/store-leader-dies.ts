// The leader of the store dies: an election, and nothing else.
import type { Scenario } from "../src/scenario/scenario.ts";

export const storeLeaderDies: Scenario = {
  name: "store-leader-dies",
  story: "The leader of the store dies: an election, and nothing else.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 20000, verb: { do: "storeLeaderKill" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    fences: [0, 0],
    longestPauseMs: 500,
    losesNothing: true,
  },
};
