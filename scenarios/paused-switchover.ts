// A person moves the leadership during a pause: who gives up is guarded before it stops, and who takes over is let go.
import type { Scenario } from "../src/scenario/scenario.ts";

export const pausedSwitchover: Scenario = {
  name: "paused-switchover",
  story:
    "A switchover in a pause: the old primary is guarded first, the new one runs without a deadline until the resume.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 50000, verb: { do: "pause" } },
    { atMs: 40000, verb: { do: "switchover", candidate: "standby" } },
    { atMs: 60000, forMs: 15000, verb: { do: "killAgent", node: "primary" } },
  ],
  healAtMs: 90000,
  endAtMs: 130000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    fences: [0, 0],
    reasons: ["pause_letting_go", "pause_ending", "switchover_handing_over"],
  },
};
