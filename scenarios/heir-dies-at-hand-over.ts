// The heir dies at the very moment of the hand-over after a crash: nobody behind it leads, the old primary takes it back.
import type { Scenario } from "../src/scenario/scenario.ts";

export const heirDiesAtHandOver: Scenario = {
  name: "heir-dies-at-hand-over",
  story:
    "The heir dies at the very moment of the hand-over after a crash: nobody behind it leads, the old primary takes it back.",
  nodes: 3,
  faults: [
    { atMs: 30_000, forMs: 40_000, verb: { do: "slowStandby", node: "n3", slowMs: 8_000 } },
    { atMs: 45_000, verb: { do: "killPostmaster", node: "n1" } },
    { atMs: 45_137, forMs: 10_000, verb: { do: "killAgent", node: "n2" } },
  ],
  healAtMs: 80000,
  endAtMs: 150000,
  expect: {
    primaryAtEnd: "first",
    losesNothing: true,
    longestPauseMs: 6_000,
    reasons: ["crash_handing_over"],
  },
};
