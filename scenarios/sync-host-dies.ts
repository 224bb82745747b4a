// The host of the primary dies: only the synchronous standby may take over, although another one could at once.
import type { Scenario } from "../src/scenario/scenario.ts";

export const syncHostDies: Scenario = {
  name: "sync-host-dies",
  story:
    "The host of the primary dies while the agent of the synchronous standby is away: the other standby must not lead, and the synchronous one takes over with every row once its agent is back.",
  nodes: 3,
  config: { synchronous_mode: "on" },
  faults: [
    { atMs: 30_000, forMs: 60_000, verb: { do: "killHost", node: "primary" } },
    { atMs: 30_000, forMs: 20_000, verb: { do: "killAgent", node: "standby" } },
  ],
  healAtMs: 100_000,
  endAtMs: 170_000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    losesNothing: true,
    reasons: ["sync_changing", "race_not_synchronous"],
  },
};
