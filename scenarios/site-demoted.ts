// A site that was promoted becomes the second one again: its primary stops, and everybody goes back by a rewind.
import type { Scenario } from "../src/scenario/scenario.ts";

export const siteDemoted: Scenario = {
  name: "site-demoted",
  story:
    "A site that was promoted becomes the second one again: its primary stops, and everybody goes back by a rewind.",
  nodes: 3,
  otherSite: true,
  config: { standby_cluster: { host: "far", port: 5432 } },
  faults: [
    { atMs: 30000, verb: { do: "promoteSite" } },
    { atMs: 50000, forMs: 10000, verb: { do: "siteDown" } },
    { atMs: 52000, verb: { do: "demoteSite" } },
  ],
  healAtMs: 90000,
  endAtMs: 200000,
  expect: {
    followsAtEnd: true,
    promotions: [1, 1],
    fences: [0, 0],
    reasons: ["site_unreachable", "site_demoting", "rejoin_rewinding", "site_following"],
  },
};
