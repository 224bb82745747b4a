// One backend crashes and the server resets itself: it goes on as the primary, and the reset is counted.
import type { Scenario } from "../src/scenario/scenario.ts";

export const backendCrashes: Scenario = {
  name: "backend-crashes",
  story:
    "One backend crashes and the server resets itself: it goes on as the primary, and the reset is counted.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "crashBackend", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    fences: [0, 0],
    losesNothing: true,
    reasons: ["lead_server_reset"],
  },
};
