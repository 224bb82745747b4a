// The primary's server answers every session with an error: it is ended, and a standby that has every byte leads.
import type { Scenario } from "../src/scenario/scenario.ts";

export const serverRefusesEverybody: Scenario = {
  name: "server-refuses-everybody",
  story:
    "The primary's server answers every session with an error: it is ended, and a standby that has every byte leads.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 60000, verb: { do: "failSessions", node: "primary" } }],
  healAtMs: 90000,
  endAtMs: 150000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    longestPauseMs: 15_000,
    losesNothing: true,
    reasons: ["server_hung"],
  },
};
