// The other site fails over, and again without WAL that is here already: this site follows, the second time by rewinding.
import type { Scenario } from "../src/scenario/scenario.ts";

export const siteFailsOver: Scenario = {
  name: "site-fails-over",
  story:
    "The other site fails over, and again without WAL that is here already: this site follows, the second time by rewinding.",
  nodes: 3,
  otherSite: true,
  config: { standby_cluster: { host: "far", port: 5432 } },
  faults: [
    { atMs: 30000, verb: { do: "siteFailsOver", lostBytes: 0 } },
    { atMs: 60000, verb: { do: "siteFailsOver", lostBytes: 2000 } },
  ],
  healAtMs: 90000,
  endAtMs: 180000,
  expect: {
    followsAtEnd: true,
    promotions: [0, 0],
    fences: [0, 0],
    reasons: ["site_following", "rejoin_rewinding"],
  },
};
