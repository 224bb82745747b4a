// A site is promoted, demoted and promoted again: each time under a term and on a timeline of its own.
import type { Scenario } from "../src/scenario/scenario.ts";

export const sitePromotedAgain: Scenario = {
  name: "site-promoted-again",
  story:
    "A site is promoted, demoted and promoted again: each time under a term and on a timeline of its own.",
  nodes: 3,
  otherSite: true,
  config: { standby_cluster: { host: "far", port: 5432 } },
  faults: [
    { atMs: 30000, verb: { do: "promoteSite" } },
    { atMs: 45000, verb: { do: "siteFailsOver", lostBytes: 0 } },
    { atMs: 60000, verb: { do: "demoteSite" } },
    { atMs: 100000, verb: { do: "promoteSite" } },
  ],
  healAtMs: 130000,
  endAtMs: 220000,
  expect: { promotions: [2, 2], fences: [0, 0], reasons: ["site_demoting", "lead_promoting"] },
};
