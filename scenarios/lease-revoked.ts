// Somebody revokes the lease of the primary: it stops at once, and rivals still wait for its hold to run out.
import type { Scenario } from "../src/scenario/scenario.ts";

export const leaseRevoked: Scenario = {
  name: "lease-revoked",
  story:
    "Somebody revokes the lease of the primary: it stops at once, and rivals still wait for its hold to run out.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "revokeLease", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [0, 1], longestPauseMs: 12_000 },
};
