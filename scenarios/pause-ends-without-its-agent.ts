// The pause ends while the agent of its primary is away and its server writes on: nobody else may lead.
import type { Scenario } from "../src/scenario/scenario.ts";

export const pauseEndsWithoutItsAgent: Scenario = {
  name: "pause-ends-without-its-agent",
  story:
    "Resumed while the primary has no agent: it writes on, nobody races, and its agent ends the pause when it is back.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "pause" } },
    { atMs: 40000, forMs: 60000, verb: { do: "killAgent", node: "primary" } },
    { atMs: 60000, verb: { do: "resume" } },
  ],
  healAtMs: 110000,
  endAtMs: 150000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    fences: [0, 0],
    longestPauseMs: 2000,
    reasons: ["race_waiting_for_armed", "pause_taking_key", "pause_ending"],
  },
};
