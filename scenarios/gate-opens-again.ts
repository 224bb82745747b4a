// The primary is alone for five seconds: its writes wait and go on, and nobody takes over.
import type { Scenario } from "../src/scenario/scenario.ts";

export const gateOpensAgain: Scenario = {
  name: "gate-opens-again",
  story: "The primary is alone for five seconds: its writes wait and go on, and nobody takes over.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 5000, verb: { do: "cutFromStore", node: "primary" } },
    { atMs: 30000, forMs: 5000, verb: { do: "cutFromPeers", node: "n1" } },
  ],
  healAtMs: 40000,
  endAtMs: 100000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    fences: [0, 0],
    losesNothing: true,
    reasons: ["isolated_closing_gate", "isolated_opening_gate"],
  },
};
