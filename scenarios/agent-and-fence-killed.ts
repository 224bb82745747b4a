// Agent and fence of the primary die together: the server goes with the fence.
import type { Scenario } from "../src/scenario/scenario.ts";

export const agentAndFenceKilled: Scenario = {
  name: "agent-and-fence-killed",
  story: "Agent and fence of the primary die together: the server goes with the fence.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 20000, verb: { do: "killAgent", node: "primary" } },
    { atMs: 30000, verb: { do: "killFence", node: "primary" } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "another", promotions: [1, 1] },
};
