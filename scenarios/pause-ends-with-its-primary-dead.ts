// The host of a paused primary dies. Nobody can tell that from an agent that is away, so a person has to say it.
import type { Scenario } from "../src/scenario/scenario.ts";

export const pauseEndsWithItsPrimaryDead: Scenario = {
  name: "pause-ends-with-its-primary-dead",
  story:
    "Resumed with the primary gone: nobody races until a person says that it is down; it comes back as a standby.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "pause" } },
    { atMs: 40000, forMs: 80000, verb: { do: "killHost", node: "n1" } },
    { atMs: 50000, verb: { do: "resume" } },
    { atMs: 90000, verb: { do: "confirmDown", node: "n1" } },
  ],
  healAtMs: 130000,
  endAtMs: 170000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    reasons: ["race_waiting_for_armed", "race_acquiring"],
  },
};
