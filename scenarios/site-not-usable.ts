// The slot at the other site is dropped, then it is another database system: both are said, and nothing is received.
import type { Scenario } from "../src/scenario/scenario.ts";

export const siteNotUsable: Scenario = {
  name: "site-not-usable",
  story:
    "The slot at the other site is dropped, then it is another database system: both are said, and nothing is received.",
  nodes: 3,
  otherSite: true,
  config: { standby_cluster: { host: "far", port: 5432, primary_slot_name: "this_site" } },
  faults: [
    { atMs: 30000, forMs: 15000, verb: { do: "siteDropsSlot" } },
    { atMs: 60000, forMs: 15000, verb: { do: "siteReplaced" } },
  ],
  healAtMs: 80000,
  endAtMs: 160000,
  expect: {
    followsAtEnd: true,
    promotions: [0, 0],
    fences: [0, 0],
    reasons: ["site_slot_missing", "site_foreign", "site_following"],
  },
};
