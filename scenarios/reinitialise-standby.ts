// A person has a standby rebuilt: it is copied again and streams.
import type { Scenario } from "../src/scenario/scenario.ts";

export const reinitialiseStandby: Scenario = {
  name: "reinitialise-standby",
  story: "A person has a standby rebuilt: it is copied again and streams.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "reinit", node: "standby" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    longestPauseMs: 500,
    losesNothing: true,
    reasons: ["reinitialising"],
  },
};
