// The agent of the primary is stopped for half a minute: the fence ends the server in time.
import type { Scenario } from "../src/scenario/scenario.ts";

export const agentStopped: Scenario = {
  name: "agent-stopped",
  story:
    "The agent of the primary is stopped for half a minute: the fence ends the server in time.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "stopAgent", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], fences: [1, 1] },
};
