// A standby is away for longer than ttl, then everybody else dies: it returns alone and does not race.
import type { Scenario } from "../src/scenario/scenario.ts";

export const memberAwayIsNotListed: Scenario = {
  name: "member-away-is-not-listed",
  story:
    "A standby is away for longer than ttl, then everybody else dies: it returns alone and does not race.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 60000, verb: { do: "killHost", node: "other" } },
    { atMs: 80000, forMs: 40000, verb: { do: "killHost", node: "primary" } },
    { atMs: 80000, forMs: 40000, verb: { do: "killHost", node: "standby" } },
  ],
  healAtMs: 120000,
  endAtMs: 180000,
  expect: { promotions: [1, 1], losesNothing: true, reasons: ["race_not_listed"] },
};
