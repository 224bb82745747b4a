// A member is away for longer than slots are kept, over a failover: its slot goes everywhere, and it comes back by itself.
import type { Scenario } from "../src/scenario/scenario.ts";

export const memberAwayForLong: Scenario = {
  name: "member-away-for-long",
  story:
    "A member is away for longer than slots are kept, over a failover: its slot goes everywhere, and it comes back by itself.",
  nodes: 4,
  config: { member_slots_ttl: 60 },
  faults: [
    { atMs: 30_000, forMs: 90_000, verb: { do: "killHost", node: "other" } },
    { atMs: 60_000, forMs: 10_000, verb: { do: "killHost", node: "primary" } },
  ],
  healAtMs: 150_000,
  endAtMs: 200_000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], losesNothing: false },
};
