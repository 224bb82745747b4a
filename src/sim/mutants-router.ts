// Lies told to a router.
import type { Peers } from "../ports/peers.ts";
import type { Store } from "../ports/store.ts";
import type { Mutant } from "./mutant.ts";
import { peersWith } from "./mutants-peers.ts";
import { storeWith } from "./mutants-store.ts";

/** Unproven: whoever the store names counts as a primary that takes writes. */
const everybodyIsPrimary = (peers: Peers): Peers =>
  peersWith(peers, {
    ask: async (apiUrl, timeoutMs) => {
      const answer = await peers.ask(apiUrl, timeoutMs);
      if (answer.kind === "unknown") return answer;
      return { ...answer, value: { ...answer.value, role: "primary", state: "running" } };
    },
  });

/** Blind to the site: a leader that follows another site is taken for a primary that was there before. */
const seesNoSite = (store: Store): Store =>
  storeWith(store, {
    range: async (prefix, options) => {
      const range = await store.range(prefix, options);
      const entries = range.entries.map((kv) => ({
        ...kv,
        value: kv.value.replace('"standby_leader"', '"primary"'),
      }));
      return { ...range, entries };
    },
  });

export const ROUTER_MUTANTS: readonly Mutant[] = [
  {
    name: "route-unproven",
    flaws: { router: { wrapPeers: everybodyIsPrimary } },
    breaks: ["S25"],
    story: "router-follows-failover",
  },
  {
    name: "route-blind-to-the-site",
    flaws: { router: { wrapStore: seesNoSite } },
    breaks: ["S25"],
    story: "site-demoted",
  },
  {
    name: "route-back-to-any-server",
    flaws: { router: { wrapPeers: everybodyIsPrimary } },
    breaks: ["S25"],
    story: "site-demoted",
  },
  {
    name: "pause-without-watchdog",
    flaws: { router: { hasNoWatchdog: true } },
    breaks: ["T8"],
    story: "router-dies-while-clients-wait",
  },
];
