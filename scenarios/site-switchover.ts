// A switchover inside the second site: the named member receives from there at once, and is copied anew when asked.
import type { Scenario } from "../src/scenario/scenario.ts";

export const siteSwitchover: Scenario = {
  name: "site-switchover",
  story:
    "A switchover inside the second site: the named member receives from there at once, and is copied anew when asked.",
  nodes: 3,
  otherSite: true,
  config: { standby_cluster: { host: "far", port: 5432 } },
  faults: [
    { atMs: 30000, verb: { do: "switchover", candidate: "follower" } },
    { atMs: 50000, forMs: 8000, verb: { do: "killPostmaster", node: "leader" } },
    { atMs: 62000, verb: { do: "reinit", node: "leader" } },
  ],
  healAtMs: 70000,
  endAtMs: 140000,
  expect: {
    followsAtEnd: true,
    promotions: [0, 0],
    fences: [0, 0],
    reasons: ["switchover_handing_over", "reinitialising", "site_following"],
  },
};
