// A person restarts a standby: it comes back and streams, and no write waits for it.
import type { Scenario } from "../src/scenario/scenario.ts";

export const standbyRestart: Scenario = {
  name: "standby-restart",
  story: "A person restarts a standby: it comes back and streams, and no write waits for it.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "restart", node: "standby" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    losesNothing: true,
    fences: [0, 0],
    reasons: ["standby_restarting"],
  },
};
