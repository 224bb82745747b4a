// To the others the primary is one of Patroni's: agent and fence freeze, its key ends, and its server goes on.
import type { Scenario } from "../src/scenario/scenario.ts";

export const strangerFrozen: Scenario = {
  name: "stranger-frozen",
  story:
    "To the others the primary is one of Patroni's: its agent and fence freeze and its key ends, but its server takes writes, so nobody leads before it has stopped.",
  nodes: 3,
  strangers: true,
  config: { ttl: 20 },
  faults: [
    { atMs: 40_000, forMs: 60_000, verb: { do: "stopAgent", node: "primary" } },
    { atMs: 40_000, forMs: 60_000, verb: { do: "stopFence", node: "primary" } },
  ],
  healAtMs: 110_000,
  endAtMs: 190_000,
  expect: { promotions: [0, 1], reasons: ["race_peer_is_primary"] },
};
