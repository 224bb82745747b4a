// A person plans a switchover for later: it happens at its time, as one asked for at once does.
import type { Scenario } from "../src/scenario/scenario.ts";

export const switchoverScheduled: Scenario = {
  name: "switchover-scheduled",
  story:
    "A person plans a switchover for later: it happens at its time, as one asked for at once does.",
  nodes: 3,
  faults: [{ atMs: 30000, verb: { do: "switchover", inMs: 10_000 } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    losesNothing: true,
    fences: [0, 0],
    reasons: ["switchover_scheduled", "switchover_handing_over"],
  },
};
