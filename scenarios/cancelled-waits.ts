// Somebody cancels the commits that wait for a standby, and then the only server that has them dies.
import type { Scenario } from "../src/scenario/scenario.ts";

export const cancelledWaits: Scenario = {
  name: "cancelled-waits",
  story:
    "No standby hears the primary, and commits wait. They are cancelled: each is answered with a warning, and stays on the primary alone. Its host dies, and they are gone with it; none of them was promised.",
  nodes: 3,
  config: { synchronous_mode: "on", synchronous_mode_strict: true },
  faults: [
    { atMs: 30_000, forMs: 30_000, verb: { do: "cutFromPeers", node: "primary" } },
    { atMs: 32_000, forMs: 4_000, verb: { do: "cancelWaits", node: "primary", everyMs: 250 } },
    { atMs: 36_000, forMs: 30_000, verb: { do: "killHost", node: "primary" } },
  ],
  healAtMs: 70_000,
  endAtMs: 140_000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], losesNothing: true, leavesDoubts: true },
};
