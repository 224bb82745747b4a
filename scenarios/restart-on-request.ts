// A person restarts the primary: it comes back in place.
import type { Scenario } from "../src/scenario/scenario.ts";

export const restartOnRequest: Scenario = {
  name: "restart-on-request",
  story: "A person restarts the primary: it comes back in place.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "restart", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "first", promotions: [0, 0], losesNothing: true, fences: [0, 0] },
};
