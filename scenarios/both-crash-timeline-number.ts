// Two members are promoted one after the other and crash: no timeline number ever names two histories.
import type { Scenario } from "../src/scenario/scenario.ts";

export const bothCrashTimelineNumber: Scenario = {
  name: "both-crash-timeline-number",
  story:
    "Two members are promoted one after the other and crash: no timeline number ever names two histories.",
  nodes: 4,
  faults: [
    { atMs: 30000, forMs: 60000, verb: { do: "isolate", node: "primary" } },
    { atMs: 42000, forMs: 40000, verb: { do: "isolate", node: "primary" } },
    { atMs: 58000, verb: { do: "killPostmaster", node: "primary" } },
  ],
  healAtMs: 110000,
  endAtMs: 220000,
  expect: { promotions: [1, 5] },
};
