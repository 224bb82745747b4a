// Without failsafe mode a primary that cannot reach the store stops before anybody else may lead.
import type { Scenario } from "../src/scenario/scenario.ts";

export const primaryCutFromStore: Scenario = {
  name: "primary-cut-from-store",
  story:
    "Without failsafe mode a primary that cannot reach the store stops before anybody else may lead.",
  nodes: 3,
  config: { failsafe_mode: false },
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "cutFromStore", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], fences: [0, 1] },
};
