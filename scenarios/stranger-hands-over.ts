// To the others the primary is one of Patroni's: it hands over, and says "demoted, stopping" while its WAL is archived.
import type { Scenario } from "../src/scenario/scenario.ts";

export const strangerHandsOver: Scenario = {
  name: "stranger-hands-over",
  story:
    "To the others the primary is one of Patroni's: it gives its key back while its server still stops, and nobody waits for the end of that.",
  nodes: 3,
  strangers: true,
  config: { ttl: 20 },
  faults: [{ atMs: 30_000, verb: { do: "switchover", candidate: "standby" } }],
  healAtMs: 60_000,
  endAtMs: 140_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    longestPauseMs: 3_000,
    losesNothing: true,
    fences: [0, 0],
    reasons: ["race_acquiring"],
  },
};
