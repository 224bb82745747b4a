// The primary loses store and peers but not its clients: it acknowledges nothing doomed, and another leads.
import type { Scenario } from "../src/scenario/scenario.ts";

export const aloneClosesTheGate: Scenario = {
  name: "alone-closes-the-gate",
  story:
    "The primary loses store and peers but not its clients: it acknowledges nothing doomed, and another leads.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 40000, verb: { do: "cutFromStore", node: "primary" } },
    { atMs: 30000, forMs: 40000, verb: { do: "cutFromPeers", node: "n1" } },
  ],
  healAtMs: 75000,
  endAtMs: 140000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    reasons: ["isolated_closing_gate", "isolated_gate_closed"],
  },
};
