// A member comes back while the store is away and can tell nobody: the time in which nobody looks is no absence.
import type { Scenario } from "../src/scenario/scenario.ts";

export const memberBackWhileStoreAway: Scenario = {
  name: "member-back-while-store-away",
  story:
    "A member comes back while the store is away and can tell nobody: the time in which nobody looks is no absence.",
  nodes: 3,
  config: { member_slots_ttl: 60 },
  faults: [
    { atMs: 30_000, forMs: 70_000, verb: { do: "killHost", node: "n3" } },
    { atMs: 70_000, forMs: 60_000, verb: { do: "storeDown" } },
    { atMs: 125_000, forMs: 10_000, verb: { do: "cutFromStore", node: "n3" } },
  ],
  healAtMs: 140_000,
  endAtMs: 200_000,
  expect: { primaryAtEnd: "first", promotions: [0, 0], losesNothing: true },
};
