// Where are clients sent, and what does a router say about itself?

import type { Address } from "./address.ts";
import type { RouteReason } from "./route-reason.ts";
import type { Ms } from "./time.ts";

/** Writes go to the primary, reads to standbys that are fresh enough, reports to standbys set apart for them. */
export type Route = "write" | "read" | "report";

/** A member and where its PostgreSQL is reached. */
export interface Target extends Address {
  readonly name: string;
  /** Where its agent answers health checks; the usual port of its own host unless it says so. */
  readonly api?: Address;
}

/** `drain`: no new clients; those that are there stay until they leave by themselves. */
export interface ReadTarget extends Target {
  readonly state: "ready" | "drain";
}

/** Who is served by whom in one term. A plan of an older term than the one applied is refused. */
export interface RoutePlan {
  readonly term: number;
  /** Undefined while no member has proved that it takes writes. */
  readonly write: Target | undefined;
  /** Nobody takes writes, and that is as it should be: the cluster follows another site. */
  readonly isReadOnly?: boolean;
  readonly reads: readonly ReadTarget[];
  readonly reports: readonly ReadTarget[];
}

/** What a router did when the leader asked it to pause for a switchover; `intent` is the revision of the wish. */
export type HoldAnswer =
  | { readonly kind: "held"; readonly intent: number }
  /** Open transactions did not end within the budget, and the policy is to give up. */
  | { readonly kind: "busy"; readonly intent: number; readonly blockers: readonly string[] };

/** One router as the store shows it; the key hangs on the router's own lease. */
export interface RouterStatus {
  readonly name: string;
  readonly agent: string;
  readonly apiUrl: string;
  /** Where clients connect, by what they find there: `pgbouncer`, `haproxy write`, … */
  readonly addresses: Readonly<Record<string, string>>;
  /** The term of the plan that is in force here; 0 before the first. */
  readonly term: number;
  /** Whom the write route points at in that term. */
  readonly primary: string | undefined;
  readonly answer: HoldAnswer | undefined;
  /** The longest that this router needs for an answer: a duration, for the leader's wait. */
  readonly answersWithinMs: Ms;
  readonly because: RouteReason;
}
