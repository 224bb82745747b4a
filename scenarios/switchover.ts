// A person asks for a switchover: the candidate has the last byte before it leads.
import type { Scenario } from "../src/scenario/scenario.ts";

export const switchover: Scenario = {
  name: "switchover",
  story: "A person asks for a switchover: the candidate has the last byte before it leads.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "switchover", candidate: "standby" } }],
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
