// How do router, leader and clients stand to each other right now?
import { type ClusterSnapshot, type Leader, memberNamed } from "../../../model/cluster.ts";
import { valueOf } from "../../../model/known.ts";
import type { Instant } from "../../../model/time.ts";
import { ALARMS_WITHIN_MS, MOST_WAITED_MS } from "../limits.ts";
import type { RouteMemory, RouteWorld } from "../world.ts";

export const clusterOf = (w: RouteWorld): ClusterSnapshot | undefined => valueOf(w.store);

/** The wish (its revision) for which the leader asks routers to pause now. */
export function askedFor(c: ClusterSnapshot): number | undefined {
  const { value, modRevision } = c.failover;
  const leader = c.leader === undefined ? undefined : memberNamed(c, c.leader.name);
  return value !== undefined && leader?.handingOver === modRevision ? modRevision : undefined;
}

/** The leader says of itself that it follows another site: whoever writes is refused there, and nobody else takes writes. */
export const isReadOnly = (c: ClusterSnapshot): boolean =>
  c.leader !== undefined && memberNamed(c, c.leader.name)?.role === "standby leader";

/** Clients are sent to the leader of the term that the store shows, or writers to nobody where it takes no writes. */
export const isPointed = (c: ClusterSnapshot, { applied }: RouteMemory): boolean =>
  c.leader !== undefined &&
  applied?.term === c.leader.term &&
  applied.write?.name === (isReadOnly(c) ? undefined : c.leader.name) &&
  (applied.isReadOnly ?? false) === isReadOnly(c);

/**
 * The leader, if it has just said itself that its server takes writes: it says so only from a fresh look at the
 * server and while its lease lasts, and it was asked after the store had named it.
 */
export const provenLeader = (w: RouteWorld, c: ClusterSnapshot): Leader | undefined =>
  takesWrites(w, c) === true ? c.leader : undefined;

/** The leader's own word for it; undefined when it was not asked or has not answered. */
export function takesWrites(w: RouteWorld, { leader }: ClusterSnapshot): boolean | undefined {
  const says = w.leaderSays === undefined ? undefined : valueOf(w.leaderSays);
  if (leader === undefined || says === undefined) return undefined;
  return says.name === leader.name && says.role === "primary" && says.state === "running";
}

/** Whether clients may be paused once more on a mere suspicion. */
export const mayAlarm = ({ alarms }: RouteMemory, now: Instant): boolean =>
  alarms
    .filter(({ at }) => now - at < ALARMS_WITHIN_MS)
    .reduce((sum, { waitedMs }) => sum + waitedMs, 0) < MOST_WAITED_MS;
