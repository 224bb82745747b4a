// Both standbys lag when the postmaster dies: the server is restarted in place and nothing is lost.
import type { Scenario } from "../src/scenario/scenario.ts";

export const laggingStandbyCrashRestart: Scenario = {
  name: "lagging-standby-crash-restart",
  story:
    "Both standbys lag when the postmaster dies: the server is restarted in place and nothing is lost.",
  nodes: 3,
  faults: [
    { atMs: 28000, forMs: 20000, verb: { do: "slowStandby", node: "standby", slowMs: 4000 } },
    { atMs: 28000, forMs: 20000, verb: { do: "slowStandby", node: "other", slowMs: 4000 } },
    { atMs: 32000, verb: { do: "killPostmaster", node: "primary" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "first", promotions: [0, 0], losesNothing: true },
};
