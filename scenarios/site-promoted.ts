// A person promotes the second site while one of its members is down: it takes writes, and the member comes back.
import type { Scenario } from "../src/scenario/scenario.ts";

export const sitePromoted: Scenario = {
  name: "site-promoted",
  story:
    "A person promotes the second site while one of its members is down: it takes writes, and the member comes back.",
  nodes: 3,
  otherSite: true,
  config: { standby_cluster: { host: "far", port: 5432 } },
  faults: [
    { atMs: 30000, forMs: 40000, verb: { do: "killHost", node: "follower" } },
    { atMs: 40000, verb: { do: "promoteSite" } },
  ],
  healAtMs: 80000,
  endAtMs: 180000,
  expect: {
    promotions: [1, 1],
    losesNothing: true,
    fences: [0, 0],
    reasons: ["site_parting", "lead_promoting"],
  },
};
