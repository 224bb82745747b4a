// A primary is back as a standby, and its agent dies with that word: clients who wait for it do not go on to it.
import type { Scenario } from "../src/scenario/scenario.ts";

export const agentDiesWhileClientsWait: Scenario = {
  name: "agent-dies-while-clients-wait",
  story:
    "A primary is back as a standby, and its agent dies with that word: clients who wait for it do not go on to it at once.",
  nodes: 3,
  routers: 1,
  config: { ttl: 30, loop_wait: 10, retry_timeout: 10 },
  faults: [
    { atMs: 30_000, forMs: 5_000, verb: { do: "killHost", node: "primary" } },
    { atMs: 36_200, forMs: 4_000, verb: { do: "killAgent", node: "primary" } },
  ],
  healAtMs: 80_000,
  endAtMs: 160_000,
  expect: {
    reasons: ["route_suspecting", "route_suspected"],
  },
};
