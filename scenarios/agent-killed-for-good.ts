// The agent of the primary dies and stays away: the fence ends the server, another member leads.
import type { Scenario } from "../src/scenario/scenario.ts";

export const agentKilledForGood: Scenario = {
  name: "agent-killed-for-good",
  story:
    "The agent of the primary dies and stays away: the fence ends the server, another member leads.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "killAgent", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], fences: [1, 1] },
};
