// The primary is cut from everybody: it stops in time, another leads, and it comes back as a standby.
import type { Scenario } from "../src/scenario/scenario.ts";

export const primaryIsolated: Scenario = {
  name: "primary-isolated",
  story:
    "The primary is cut from everybody: it stops in time, another leads, and it comes back as a standby.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "isolate", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "another", promotions: [1, 1] },
};
