// A watchdog is required: who cannot arm one never leads, and a primary that loses its own hands over.
import type { Scenario } from "../src/scenario/scenario.ts";

export const requiredWatchdogFails: Scenario = {
  name: "required-watchdog-fails",
  story:
    "A watchdog is required: who cannot arm one never leads, and a primary that loses its own hands over.",
  nodes: 3,
  faults: [
    { atMs: 28000, forMs: 60000, verb: { do: "breakWatchdog", node: "n2" } },
    { atMs: 30000, forMs: 20000, verb: { do: "killHost", node: "n1" } },
    { atMs: 60000, forMs: 30000, verb: { do: "breakWatchdog", node: "n3" } },
  ],
  healAtMs: 90000,
  endAtMs: 150000,
  expect: {
    promotions: [2, 2],
    primaryAtEnd: "first",
    reasons: ["race_no_watchdog", "lead_without_watchdog"],
  },
};
