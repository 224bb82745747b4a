// A switchover is asked for, but the primary dies first: the candidate was chosen for a calm day, and another has more.
import type { Scenario } from "../src/scenario/scenario.ts";

export const switchoverOvertakenByDeath: Scenario = {
  name: "switchover-overtaken-by-death",
  story:
    "A switchover is asked for, but the primary dies first: the candidate was chosen for a calm day, and another has more.",
  nodes: 3,
  faults: [
    { atMs: 30_000, forMs: 60_000, verb: { do: "slowStandby", node: "n3", slowMs: 5_000 } },
    { atMs: 40_000, verb: { do: "switchover", candidate: "n3" } },
    { atMs: 40_003, forMs: 60_000, verb: { do: "killHost", node: "n1" } },
  ],
  healAtMs: 110_000,
  endAtMs: 190_000,
  expect: { promotions: [1, 2] },
};
