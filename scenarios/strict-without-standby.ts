// Strict: with no standby left nothing is acknowledged, and nothing is lost when the primary dies too.
import type { Scenario } from "../src/scenario/scenario.ts";

export const strictWithoutStandby: Scenario = {
  name: "strict-without-standby",
  story:
    "Strict: both standbys are stopped, so no commit is acknowledged; one that comes back is trusted once it has everything.",
  nodes: 3,
  config: { synchronous_mode: "on", synchronous_mode_strict: true },
  faults: [
    { atMs: 30_000, forMs: 30_000, verb: { do: "stopCleanly", node: "standby" } },
    { atMs: 30_000, forMs: 60_000, verb: { do: "stopCleanly", node: "other" } },
  ],
  healAtMs: 100_000,
  endAtMs: 170_000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    losesNothing: true,
    reasons: ["sync_waiting"],
  },
};
