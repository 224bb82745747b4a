// The agent is away and the leader's key erased while a promotion takes long: the fence's deadline stays where it is.
import type { Scenario } from "../src/scenario/scenario.ts";

export const keyErasedInAPromotion: Scenario = {
  name: "key-erased-in-a-promotion",
  story:
    "The agent is away and the leader's key erased while a promotion takes long: the fence's deadline stays where it is.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "switchover", candidate: "n2" } },
    { atMs: 30340, forMs: 30000, verb: { do: "slowDisk", node: "n2", slowMs: 12000 } },
    { atMs: 31500, forMs: 1000, verb: { do: "detach", node: "n2" } },
    { atMs: 32000, verb: { do: "revokeLease", node: "n2" } },
  ],
  healAtMs: 70000,
  endAtMs: 120000,
  expect: { reasons: ["detached", "race_waiting_for_hold"], promotions: [1, 1] },
};
