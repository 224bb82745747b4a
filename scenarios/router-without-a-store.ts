// The store goes away while peers promise: the router leaves its clients where they are, and nothing is paused.
import type { Scenario } from "../src/scenario/scenario.ts";

export const routerWithoutAStore: Scenario = {
  name: "router-without-a-store",
  story:
    "The store goes away while peers promise: the router's clients stay where they are, and nothing is paused.",
  nodes: 3,
  routers: 1,
  config: { failsafe_mode: true },
  faults: [{ atMs: 30_000, forMs: 50_000, verb: { do: "storeDown" } }],
  healAtMs: 90_000,
  endAtMs: 150_000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    losesNothing: true,
    reasons: ["route_store_unread", "store_unread_peers_promised"],
  },
};
