// Somebody starts the server of a standby by hand: nobody can reach it, and it is ended.
import type { Scenario } from "../src/scenario/scenario.ts";

export const strangerStartsServer: Scenario = {
  name: "stranger-starts-server",
  story: "Somebody starts the server of a standby by hand: nobody can reach it, and it is ended.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "killPostmaster", node: "n2" } },
    { atMs: 30020, verb: { do: "startByStranger", node: "n2" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "first", promotions: [0, 0], longestPauseMs: 500 },
};
