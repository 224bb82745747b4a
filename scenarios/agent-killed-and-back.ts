// The agent of the primary dies and is back after two seconds: no client notices.
import type { Scenario } from "../src/scenario/scenario.ts";

export const agentKilledAndBack: Scenario = {
  name: "agent-killed-and-back",
  story: "The agent of the primary dies and is back after two seconds: no client notices.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 2000, verb: { do: "killAgent", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    longestPauseMs: 500,
    fences: [0, 0],
    losesNothing: true,
  },
};
