// Clients of the routers wait while the primary changes: have they been asked to, and do they? (decision 0060)
import type { ClusterSnapshot } from "../../../model/cluster.ts";
import type { RouterStatus } from "../../../model/route.ts";
import { after, type Instant } from "../../../model/time.ts";
import type { HaWorld } from "../world.ts";
import { clusterOf } from "./standing.ts";

export type Routers =
  /** The shutdown checkpoint's larger part is done first, while clients still write. */
  | { readonly kind: "checkpoint" }
  | { readonly kind: "wait"; readonly until: Instant; readonly missing: readonly string[] }
  /** Transactions that do not end stand in the way; who holds them, by router. */
  | { readonly kind: "blocked"; readonly by: string }
  | { readonly kind: "ready" };

/** What the routers say to the switchover that stands in the store. Who does not answer in its time is not waited for. */
export function routersFor(w: HaWorld, c: ClusterSnapshot): Routers {
  if (c.routers.length === 0) return { kind: "ready" };
  const askedAt = routersAskedAt(w);
  if (askedAt === undefined) return { kind: "checkpoint" };
  const intent = c.failover.modRevision;
  const blocked = c.routers.filter((r) => r.answer?.kind === "busy" && r.answer.intent === intent);
  if (blocked.length > 0) return { kind: "blocked", by: blocked.map(blockersOf).join(", ") };
  const missing = c.routers.filter((r) => r.answer?.intent !== intent && !isOver(w, r, askedAt));
  if (missing.length === 0) return { kind: "ready" };
  const longest = Math.max(...missing.map((r) => r.answersWithinMs));
  const names = missing.map(({ name }) => name);
  return { kind: "wait", until: after(askedAt, longest), missing: names };
}

const isOver = (w: HaWorld, r: RouterStatus, askedAt: Instant): boolean =>
  w.now >= after(askedAt, r.answersWithinMs);

/** `r1: app@10.0.0.9`. */
export const blockersOf = ({ name, answer }: RouterStatus): string =>
  `${name}: ${answer?.kind === "busy" ? answer.blockers.join(" ") : ""}`;

/** The wish for which routers shall pause, as this leader publishes it; until the wish or the lease is gone. */
export const handingOver = (w: HaWorld): number | undefined =>
  routersAskedAt(w) === undefined || w.lease.held === undefined
    ? undefined
    : w.memory.handover?.revision;

/** Since when this leader has been asking, for the wish that stands in the store now. */
function routersAskedAt(w: HaWorld): Instant | undefined {
  const { handover } = w.memory;
  const checkpoint = w.outcomes["checkpoint"];
  const wish = clusterOf(w)?.failover;
  const isThis = wish?.value !== undefined && wish.modRevision === handover?.revision;
  if (!isThis || handover === undefined || checkpoint === undefined) return undefined;
  return checkpoint.at >= handover.since ? checkpoint.at : undefined;
}
