// Backends of a dead postmaster go on committing: they are ended before anybody else may lead.
import type { Scenario } from "../src/scenario/scenario.ts";

export const orphanBackendCommits: Scenario = {
  name: "orphan-backend-commits",
  story:
    "Backends of a dead postmaster go on committing: they are ended before anybody else may lead.",
  nodes: 3,
  faults: [
    { atMs: 29000, verb: { do: "longBackends", node: "primary", count: 3 } },
    { atMs: 30000, verb: { do: "killPostmaster", node: "primary" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [0, 1], losesNothing: true, longestPauseMs: 3_000 },
};
