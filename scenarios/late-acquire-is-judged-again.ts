// An acquire lands after its sender had given it up and after a better candidate has come back: it is given back.
import type { Scenario } from "../src/scenario/scenario.ts";

export const lateAcquireIsJudgedAgain: Scenario = {
  name: "late-acquire-is-judged-again",
  story:
    "An acquire lands after its sender had given it up and after a better candidate has come back: it is given back.",
  nodes: 3,
  faults: [
    { atMs: 28_000, forMs: 60_000, verb: { do: "slowStandby", node: "n3", slowMs: 6_000 } },
    { atMs: 35_000, forMs: 60_000, verb: { do: "killHost", node: "n1" } },
    { atMs: 35_050, forMs: 9_500, verb: { do: "killAgent", node: "n2" } },
    { atMs: 42_000, forMs: 4_000, verb: { do: "applyLate", node: "n3", share: 1 } },
  ],
  healAtMs: 100000,
  endAtMs: 180000,
  expect: { promotions: [1, 1], losesNothing: true, reasons: ["lead_not_eligible"] },
};
