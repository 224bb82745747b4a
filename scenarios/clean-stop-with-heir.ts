// The agent of the primary is stopped in good order: its heir takes over at once and nothing is lost.
import type { Scenario } from "../src/scenario/scenario.ts";

export const cleanStopWithHeir: Scenario = {
  name: "clean-stop-with-heir",
  story:
    "The agent of the primary is stopped in good order: its heir takes over at once and nothing is lost.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 20000, verb: { do: "stopCleanly", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    longestPauseMs: 1_500,
    losesNothing: true,
    fences: [0, 0],
  },
};
