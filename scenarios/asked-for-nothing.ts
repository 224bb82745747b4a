// With `failover: ask` a crash is nobody's business: the server is restarted in place, however often.
import type { Scenario } from "../src/scenario/scenario.ts";

export const askedForNothing: Scenario = {
  name: "asked-for-nothing",
  story:
    "With failover: ask a crash is nobody's business: the server is restarted in place, however often.",
  nodes: 3,
  config: { failover: "ask" },
  faults: [
    { atMs: 30000, verb: { do: "killPostmaster", node: "n1" } },
    { atMs: 40000, verb: { do: "killPostmaster", node: "n1" } },
    { atMs: 52000, verb: { do: "crashBackend", node: "n1" } },
  ],
  healAtMs: 70000,
  endAtMs: 130000,
  expect: {
    primaryAtEnd: "first",
    promotions: [0, 0],
    losesNothing: true,
    reasons: ["crash_restarting"],
  },
};
