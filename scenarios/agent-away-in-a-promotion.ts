// The agent leaves in the middle of a promotion and comes back to a member that must not lead: its server ends first.
import type { Scenario } from "../src/scenario/scenario.ts";

export const agentAwayInAPromotion: Scenario = {
  name: "agent-away-in-a-promotion",
  story:
    "The agent leaves in the middle of a promotion and comes back to a member that must not lead: its server ends first.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "switchover", candidate: "n2" } },
    { atMs: 30340, forMs: 20000, verb: { do: "slowDisk", node: "n2", slowMs: 4000 } },
    { atMs: 31000, forMs: 20000, verb: { do: "breakWatchdog", node: "n2" } },
    { atMs: 31500, forMs: 1000, verb: { do: "detach", node: "n2" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { reasons: ["detached", "adopting", "lead_not_eligible"], losesNothing: true },
};
