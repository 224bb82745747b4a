// Every process of the primary is stopped, and continued later.
import type { Scenario } from "../src/scenario/scenario.ts";

export const frozenServer: Scenario = {
  name: "frozen-server",
  story: "Every process of the primary is stopped, and continued later.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "stopServer", node: "primary" } }],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { promotions: [0, 1], losesNothing: true },
};
