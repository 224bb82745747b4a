// A site that was promoted becomes the second one again: its primary stops, everybody goes back by a rewind, and its
// router lets nobody in to write.
import type { Scenario } from "../src/scenario/scenario.ts";

export const siteDemoted: Scenario = {
  name: "site-demoted",
  story:
    "A site that was promoted becomes the second one again: its primary stops, everybody goes back by a rewind, and its router lets nobody in to write.",
  nodes: 3,
  routers: 1,
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
