// The agent stands still between its decision and the request: what it sends late is refused.
import type { Scenario } from "../src/scenario/scenario.ts";

export const agentStallsBeforeARequest: Scenario = {
  name: "agent-stalls-before-a-request",
  story:
    "The agent stands still between its decision and the request: what it sends late is refused.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "stallAgent", node: "primary", stallMs: 20000 } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], fences: [1, 1] },
};
