// The other site cannot be reached: this one keeps serving reads, and its leadership changes as ever.
import type { Scenario } from "../src/scenario/scenario.ts";

export const siteAway: Scenario = {
  name: "site-away",
  story:
    "The other site cannot be reached: this one keeps serving reads, and its leadership changes as ever.",
  nodes: 3,
  otherSite: true,
  config: { standby_cluster: { host: "far", port: 5432 } },
  faults: [
    { atMs: 30000, forMs: 60000, verb: { do: "siteDown" } },
    { atMs: 50000, forMs: 20000, verb: { do: "killHost", node: "leader" } },
  ],
  healAtMs: 95000,
  endAtMs: 180000,
  expect: {
    followsAtEnd: true,
    promotions: [0, 0],
    fences: [0, 0],
    reasons: ["site_unreachable", "site_following"],
  },
};
