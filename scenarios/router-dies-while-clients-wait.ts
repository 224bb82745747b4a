// A router dies with its clients paused: its pooler lets them go on by itself, and the next life takes it up again.
import type { Scenario } from "../src/scenario/scenario.ts";

export const routerDiesWhileClientsWait: Scenario = {
  name: "router-dies-while-clients-wait",
  story:
    "A router dies with its clients paused: its pooler lets them go on by itself, and the next life takes it up again.",
  nodes: 3,
  routers: 1,
  faults: [
    { atMs: 30_000, verb: { do: "killPostmaster", node: "primary" } },
    { atMs: 30_020, forMs: 40_000, verb: { do: "killRouter", router: "r1" } },
  ],
  healAtMs: 90_000,
  endAtMs: 150_000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], losesNothing: true },
};
