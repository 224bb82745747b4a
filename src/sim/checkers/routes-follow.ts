// S25, T8: whom a router sends writers to, and how long it keeps clients waiting.
import { ROUTER } from "../router.ts";
import type { MakeChecker } from "./checker.ts";

/** A leader that proved that it takes writes may have lost its server a moment ago. */
const A_MOMENT_MS = 1_000;
/** Commands to the pooler take their time. */
const SLACK_MS = 500;
/** Who has waited for so long goes on whatever the truth is. */
const PATIENCE_MS = 1_900;

interface Shown {
  readonly term: number;
  readonly leader: string;
}

/** Writers are sent only to the leader of the newest term that the router was shown, once it takes writes. */
export const routesFollow: MakeChecker = ({ cluster, violate }) => {
  const shown = new Map<string, Shown>();
  const writableUntil = new Map<string, number>();
  const sentTo = new Map<string, string>();
  const waitSince = new Map<string, number>();
  /** Clients who waited for a server that takes no writes would have been spared nothing. */
  const goOn = (host: string, at: number): void => {
    const to = sentTo.get(host);
    const since = waitSince.get(host) ?? at;
    if (to === undefined || at - since >= PATIENCE_MS) return;
    if ((writableUntil.get(to) ?? 0) < at - A_MOMENT_MS)
      violate("S25", `clients of ${host} go on to ${to}, which does not take writes`);
  };
  return {
    see(truth, at) {
      if (truth.kind === "clients-paused") {
        if (!truth.on) goOn(truth.host, at);
        waitSince.set(truth.host, at);
      }
      if (truth.kind === "writable")
        writableUntil.set(truth.host, truth.on ? Number.POSITIVE_INFINITY : at);
      if (truth.kind === "shown" && truth.term >= (shown.get(truth.host)?.term ?? 0))
        shown.set(truth.host, truth);
      if (truth.kind !== "routed") return;
      const { host, to, term } = truth;
      sentTo.delete(host);
      if (to === undefined) return;
      sentTo.set(host, to);
      const newest = shown.get(host);
      if (term !== newest?.term || to !== newest.leader)
        violate("S25", `${host} sends writers to ${to} of term ${term}, and knows of another`);
      if ((writableUntil.get(to) ?? 0) < at - A_MOMENT_MS || !cluster.hosts.has(to))
        violate("S25", `${host} sends writers to ${to}, which does not take writes`);
    },
    finish() {
      if (!cluster.followsSite()) return;
      for (const [host, to] of sentTo)
        violate("S25", `${host} sends writers to ${to}, which follows another site`);
    },
  };
};

/** A pause of clients has a limit, whatever becomes of who asked for it. */
export const pausesEnd: MakeChecker = ({ violate }) => {
  const since = new Map<string, number>();
  const longest = ROUTER.drainBudgetMs + ROUTER.holdLimitMs + SLACK_MS;
  const judge = (host: string, at: number): void => {
    const begun = since.get(host);
    if (begun !== undefined && at - begun > longest)
      violate("T8", `clients of ${host} have waited for ${Math.round(at - begun)} ms`);
  };
  return {
    see(truth, at) {
      if (truth.kind !== "clients-paused") return;
      judge(truth.host, at);
      if (truth.on) since.set(truth.host, at);
      else since.delete(truth.host);
    },
    finish(_healedAt, endedAt) {
      for (const host of since.keys()) judge(host, endedAt);
    },
  };
};
