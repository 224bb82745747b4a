// What do the leader and people read about this router, and when is it written?

import type { RouterStatus } from "../../../model/route.ts";
import type { RouteReason } from "../../../model/route-reason.ts";
import { isSame } from "../../../model/same.ts";
import { ANSWER_SLACK_MS } from "../limits.ts";
import type { RouteUpkeep } from "../steps.ts";
import type { RouteWorld } from "../world.ts";
import { clusterOf } from "./standing.ts";

/** The key is kept on a lease of the router's own, renewed when a third of it has gone. */
const RENEW_PART = 3;

/** Differences only: a router of a steady cluster writes nothing and renews its lease. */
export function publishing(w: RouteWorld, because: RouteReason): readonly RouteUpkeep[] {
  const c = clusterOf(w);
  if (c === undefined) return [];
  const { ttlMs, memory, now } = w;
  const status = statusOf(w, because);
  const shown = c.routers.find(({ name }) => name === w.self.name);
  if (!isSame(shown, status)) return [{ kind: "publish", status, ttlMs }];
  const { leaseKeptAt } = memory;
  const isFresh = leaseKeptAt !== undefined && now - leaseKeptAt < ttlMs / RENEW_PART;
  return isFresh ? [] : [{ kind: "keep-lease", ttlMs }];
}

/** What is said once everybody waits for this wish. */
export const heldStatus = (w: RouteWorld, intent: number): RouterStatus => ({
  ...statusOf(w, "route_held"),
  answer: { kind: "held", intent },
});

function statusOf(w: RouteWorld, because: RouteReason): RouterStatus {
  const { self, memory } = w;
  const { applied, answer } = memory;
  const { drainBudgetMs, pgbouncer } = self.settings;
  return {
    name: self.name,
    agent: self.agentVersion,
    apiUrl: self.apiUrl,
    addresses: self.addresses,
    term: applied?.term ?? 0,
    primary: applied?.write?.name,
    answer,
    answersWithinMs:
      pgbouncer === undefined ? ANSWER_SLACK_MS : drainBudgetMs + 2 * ANSWER_SLACK_MS,
    because,
  };
}
