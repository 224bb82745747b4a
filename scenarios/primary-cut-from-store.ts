// The primary cannot reach the store: it stops before anybody else may lead.
import type { Scenario } from "../src/scenario/scenario.ts";

export const primaryCutFromStore: Scenario = {
  name: "primary-cut-from-store",
  story: "The primary cannot reach the store: it stops before anybody else may lead.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "cutFromStore", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], fences: [0, 1] },
};
