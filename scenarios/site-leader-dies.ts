// A cluster follows another site. Its standby leader's host dies: another member receives from there instead.
import type { Scenario } from "../src/scenario/scenario.ts";

export const siteLeaderDies: Scenario = {
  name: "site-leader-dies",
  story:
    "A cluster follows another site. Its standby leader's host dies: another member receives from there instead.",
  nodes: 3,
  otherSite: true,
  config: { standby_cluster: { host: "far", port: 5432, primary_slot_name: "this_site" } },
  faults: [{ atMs: 30000, forMs: 30000, verb: { do: "killHost", node: "leader" } }],
  healAtMs: 65000,
  endAtMs: 130000,
  expect: {
    followsAtEnd: true,
    promotions: [0, 0],
    fences: [0, 0],
    reasons: ["site_following", "race_acquiring"],
  },
};
