// A site is promoted and given back in the same breath, and the other site begins a timeline of that number later.
import type { Scenario } from "../src/scenario/scenario.ts";

export const siteTakenBackAtOnce: Scenario = {
  name: "site-taken-back-at-once",
  story:
    "A site is promoted and given back in the same breath: standbys that had come to its timeline are copied anew, before the other site begins one of that number.",
  nodes: 3,
  otherSite: true,
  config: { standby_cluster: { host: "far", port: 5432 } },
  faults: [
    { atMs: 30000, verb: { do: "promoteSite" } },
    { atMs: 30440, verb: { do: "demoteSite" } },
    { atMs: 60000, verb: { do: "siteFailsOver", lostBytes: 0 } },
  ],
  healAtMs: 90000,
  endAtMs: 180000,
  expect: {
    followsAtEnd: true,
    promotions: [1, 1],
    fences: [0, 0],
    reasons: ["site_demoting", "rejoin_cloning", "site_following"],
  },
};
