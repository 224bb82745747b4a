// Lies told to a router.
import type { Peers } from "../ports/peers.ts";
import type { Mutant } from "./mutant.ts";
import { peersWith } from "./mutants-peers.ts";

/** Unproven: whoever the store names counts as a primary that takes writes. */
const everybodyIsPrimary = (peers: Peers): Peers =>
  peersWith(peers, {
    ask: async (apiUrl, timeoutMs) => {
      const answer = await peers.ask(apiUrl, timeoutMs);
      if (answer.kind === "unknown") return answer;
      return { ...answer, value: { ...answer.value, role: "primary", state: "running" } };
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
    name: "pause-without-watchdog",
    flaws: { router: { hasNoWatchdog: true } },
    breaks: ["T8"],
    story: "router-dies-while-clients-wait",
  },
];
