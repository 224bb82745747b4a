// From whom does this standby stream: from the leader, or from the standby that its tag names?
import { type ClusterSnapshot, memberNamed } from "../../../model/cluster.ts";
import type { Member } from "../../../model/member.ts";
import { after, between, type Ms } from "../../../model/time.ts";
import type { Upstream } from "../../../ports/postgres.ts";
import type { HaMemory, HaWorld } from "../world.ts";
import { clusterOf, type Source, sqlOf, upstreamOf } from "./standing.ts";

/** When it has fed us nothing, or got nothing itself, for so long, the standby above is taken for gone. */
const STARVED_MS: Ms = 10_000;
/** Then the leader feeds us for this long before the standby above is tried again. */
const AVOID_MS: Ms = 60_000;

/** The server to stream from while `source` leads; its history is the leader's in either case. */
export function feedOf(w: HaWorld, source: Source): Upstream {
  const above = standbyAbove(w, source);
  const leader = upstreamOf(w, source);
  return above === undefined
    ? leader
    : { ...leader, host: above.host, port: above.port, member: above.name };
}

/**
 * The member that `replicatefrom` names, while it is there, fed, and on the leader's timeline: one that has yet to find
 * to the new timeline may hold WAL that the cluster has left behind. Whom we stream from already is not left at once
 * because it is not fed for a moment: when a primary dies, nobody is.
 */
function standbyAbove(w: HaWorld, source: Source): Member | undefined {
  const named = w.self.tags.replicatefrom;
  const c = clusterOf(w);
  if (named === undefined || c === undefined) return undefined;
  if (named === source.member.name || named === w.self.name) return undefined;
  if ((w.memory.cascadeAvoidUntil ?? w.now) > w.now) return undefined;
  const above = memberNamed(c, named);
  const isThere =
    above?.state === "running" &&
    above.role === "standby" &&
    above.timeline === source.member.timeline;
  if (!isThere || leadsBackTo(w.self.name, above, c)) return undefined;
  return above.replicationState === "streaming" || isAt(w, above) ? above : undefined;
}

const isAt = (w: HaWorld, { host, port }: Member): boolean =>
  sqlOf(w)?.upstream === `${host}:${port}`;

/**
 * Whether the walreceiver is connected to the leader or to the member that our tag names. That one may have switched to
 * the leader's timeline, and we behind it, before the store says so of either.
 */
export function isFedByCluster(w: HaWorld, { member }: Source): boolean {
  const receiver = sqlOf(w)?.walReceiver;
  const named = w.self.tags.replicatefrom;
  const above = clusterOf(w)?.members.find(({ name }) => name === named);
  return [member, above].some(
    (from) => from !== undefined && receiver?.host === from.host && receiver.port === from.port,
  );
}

/** Two members that name each other would feed nobody: each of a circle streams from the leader instead. */
function leadsBackTo(self: string, from: Member, c: ClusterSnapshot): boolean {
  const passed = new Set<string>();
  for (let at: Member | undefined = from; at !== undefined && !passed.has(at.name); ) {
    const next: string | undefined = at.tags.replicatefrom;
    if (next === self) return true;
    passed.add(at.name);
    at = next === undefined ? undefined : memberNamed(c, next);
  }
  return false;
}

/** What one more look teaches about being fed. */
export function cascadeMemory(w: HaWorld): Pick<HaMemory, "unfedSince" | "cascadeAvoidUntil"> {
  const { cascadeAvoidUntil } = w.memory;
  const sql = sqlOf(w);
  const above = clusterOf(w)?.members.find((m) => isAt(w, m));
  const isDry = above?.role === "standby" && above.replicationState !== "streaming";
  const isFed = sql?.inRecovery !== true || (sql.walReceiver?.status === "streaming" && !isDry);
  if (isFed || w.self.tags.replicatefrom === undefined)
    return { unfedSince: undefined, cascadeAvoidUntil };
  const unfedSince = w.memory.unfedSince ?? w.now;
  const isStarved = between(unfedSince, w.now) >= STARVED_MS;
  const isAvoiding = cascadeAvoidUntil !== undefined && cascadeAvoidUntil > w.now;
  return {
    unfedSince,
    cascadeAvoidUntil: isStarved && !isAvoiding ? after(w.now, AVOID_MS) : cascadeAvoidUntil,
  };
}
