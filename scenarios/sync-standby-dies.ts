// The synchronous standby goes: the other one takes its place before anything is trusted to it.
import type { Scenario } from "../src/scenario/scenario.ts";

export const syncStandbyDies: Scenario = {
  name: "sync-standby-dies",
  story:
    "Both standbys go one after the other: the second takes the place of the first, then the primary goes on alone, and trusts them again when they are back.",
  nodes: 3,
  config: { synchronous_mode: "on" },
  faults: [
    { atMs: 30_000, forMs: 50_000, verb: { do: "stopCleanly", node: "standby" } },
    { atMs: 45_000, forMs: 50_000, verb: { do: "stopCleanly", node: "other" } },
    { atMs: 79_000, forMs: 15_000, verb: { do: "slowStandby", node: "n2", slowMs: 1_500 } },
  ],
  healAtMs: 100_000,
  endAtMs: 170_000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    losesNothing: true,
    reasons: ["sync_changing", "sync_waiting", "sync_catching_up"],
  },
};
