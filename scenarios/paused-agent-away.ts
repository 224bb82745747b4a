// Maintenance of an agent: for longer than any lease it is away, and its primary goes on. The end of the pause guards it again.
import type { Scenario } from "../src/scenario/scenario.ts";

export const pausedAgentAway: Scenario = {
  name: "paused-agent-away",
  story:
    "In a pause the primary needs neither agent nor lease; the agent comes back, takes the key again and arms the fence.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "pause" } },
    { atMs: 40000, forMs: 40000, verb: { do: "killAgent", node: "primary" } },
    { atMs: 100000, verb: { do: "resume" } },
    { atMs: 110000, verb: { do: "killHost", node: "primary" } },
  ],
  healAtMs: 150000,
  endAtMs: 190000,
  expect: {
    promotions: [1, 1],
    fences: [0, 0],
    longestPauseMs: 20000,
    reasons: ["pause_letting_go", "pause_taking_key", "pause_ending"],
  },
};
