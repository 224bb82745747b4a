// The store takes no more writes, without failsafe mode: a leader that cannot renew gives up, and service returns with the space.
import type { Scenario } from "../src/scenario/scenario.ts";

export const storeOutOfSpace: Scenario = {
  name: "store-out-of-space",
  story:
    "The store takes no more writes, without failsafe mode: a leader that cannot renew gives up, and service returns with the space.",
  nodes: 3,
  config: { failsafe_mode: false },
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "storeNoSpace" } }],
  healAtMs: 65000,
  endAtMs: 120000,
  expect: { promotions: [0, 2], losesNothing: true },
};
