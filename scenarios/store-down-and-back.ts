// The store is away for half a minute without failsafe mode: the primary gives up before its lease ends and is back with the store.
import type { Scenario } from "../src/scenario/scenario.ts";

export const storeDownAndBack: Scenario = {
  name: "store-down-and-back",
  story:
    "The store is away for half a minute without failsafe mode: the primary gives up before its lease ends and is back with the store.",
  nodes: 3,
  config: { failsafe_mode: false },
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "storeDown" } }],
  healAtMs: 65000,
  endAtMs: 120000,
  expect: { promotions: [0, 2], losesNothing: true },
};
