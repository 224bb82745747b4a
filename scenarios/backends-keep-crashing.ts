// The server resets itself twice within a minute: a standby takes over, by a clean stop.
import type { Scenario } from "../src/scenario/scenario.ts";

export const backendsKeepCrashing: Scenario = {
  name: "backends-keep-crashing",
  story: "The server resets itself twice within a minute: a standby takes over, by a clean stop.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "crashBackend", node: "n1" } },
    { atMs: 50000, verb: { do: "crashBackend", node: "n1" } },
  ],
  healAtMs: 70000,
  endAtMs: 130000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    fences: [0, 0],
    losesNothing: true,
    reasons: ["crash_stepping_down"],
  },
};
