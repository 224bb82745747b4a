// Where does this node stand? The few questions that many rungs ask of a world.
import type { ClusterSnapshot, Leader } from "../../../model/cluster.ts";
import { memberNamed } from "../../../model/cluster.ts";
import { valueOf } from "../../../model/known.ts";
import { isValid, type Lease } from "../../../model/lease.ts";
import type { Member } from "../../../model/member.ts";
import type { SqlState } from "../../../model/server.ts";
import { lineageOfRemote } from "../../../model/site.ts";
import { slotNameOf } from "../../../model/slot.ts";
import { FIRST_BRANCH, type Lineage, pathTo } from "../../../model/timeline.ts";
import type { Upstream } from "../../../ports/postgres.ts";
import type { HaWorld } from "../world.ts";

export const clusterOf = (w: HaWorld): ClusterSnapshot | undefined => valueOf(w.store);
export const sqlOf = (w: HaWorld): SqlState | undefined => valueOf(w.server.sql);

/** The lease, if we believe in it and the store still shows it as ours. */
export function leads(w: HaWorld): Lease | undefined {
  const held = w.lease.held;
  if (!isValid(held, w.now)) return undefined;
  return clusterOf(w)?.leader?.term === held.term ? held : undefined;
}

/** Somebody else's leader key, or one in our name that is not ours (R10). */
export function otherLeader(w: HaWorld): Leader | undefined {
  const leader = clusterOf(w)?.leader;
  return leader === undefined || leader.term === w.lease.held?.term ? undefined : leader;
}

export const isDown = (w: HaWorld): boolean => w.server.process.kind === "down";
export const isRunning = (w: HaWorld): boolean => w.server.process.kind === "running";
export const isPrimary = (w: HaWorld): boolean => isRunning(w) && sqlOf(w)?.inRecovery === false;
export const isStandby = (w: HaWorld): boolean => isRunning(w) && sqlOf(w)?.inRecovery === true;

/** What `branchesOf` answered for the same two values; both stay the same value for as long as their text does. */
const known = new WeakMap<Lineage, { readonly history: object; readonly branches: Lineage }>();

/** Every branch known to the store; a cluster that was never promoted has only the first. */
export function branchesOf(c: ClusterSnapshot): Lineage {
  const history = c.history.value;
  const before = known.get(c.lineage.value);
  if (before?.history === history) return before.branches;
  const branches = allBranches(c);
  known.set(c.lineage.value, { history, branches });
  return branches;
}

function allBranches(c: ClusterSnapshot): Lineage {
  const reserved = c.lineage.value.some((b) => b.timeline === FIRST_BRANCH.timeline)
    ? c.lineage.value
    : [FIRST_BRANCH, ...c.lineage.value];
  const others = othersBranches(c, reserved);
  return others.length === 0 ? reserved : [...reserved, ...others];
}

/**
 * Branches that Patroni's agents began: they reserve nothing, and only `history` tells of them, once the promotion is
 * done (R35). The last row is of the branch that the newest one left; PostgreSQL took the next number.
 */
function othersBranches(c: ClusterSnapshot, reserved: Lineage): Lineage {
  const rows = c.history.value;
  const last = rows.at(-1);
  if (last === undefined) return [];
  const history = rows.map(({ timeline, lsn: endLsn, reason }) => ({ timeline, endLsn, reason }));
  const path = lineageOfRemote({ timeline: last.timeline + 1, history }, reserved);
  return path.filter(({ timeline }) => reserved.every((b) => b.timeline !== timeline));
}

/** A leader's server that can be copied from and followed: running, and its branch known to the store. */
export interface Source {
  readonly member: Member;
  readonly term: number;
  readonly lineage: Lineage;
  /** How it is reached, where it is no member of this cluster. */
  readonly upstream?: Upstream;
}

/** The leader as a source, once it is ready to be followed. */
export function readyLeader(w: HaWorld): Source | undefined {
  const c = clusterOf(w);
  const leader = otherLeader(w);
  if (c === undefined || leader === undefined || leader.name === w.self.name) return undefined;
  // R22: whoever was promised a vote relies on it that nothing is received from before its term.
  if (leader.term < (w.promisedTerm ?? 0)) return undefined;
  const member = memberNamed(c, leader.name);
  const feeds = member?.role === "primary" || member?.role === "standby leader";
  if (!feeds || member.state !== "running" || member.timeline === undefined) return undefined;
  const lineage = pathTo(branchesOf(c), member.timeline);
  return lineage.length === 0 ? undefined : { member, term: leader.term, lineage };
}

/** How this node reaches `source`, and its own slot there. */
export const upstreamOf = (w: HaWorld, source: Source): Upstream =>
  source.upstream ?? {
    host: source.member.host,
    port: source.member.port,
    member: source.member.name,
    slot: w.config.useSlots && !w.self.tags.nostream ? slotNameOf(w.self.name) : undefined,
  };

/** After a clean stop of a primary, the end of all its WAL; undefined when the stop was not clean. */
export const cleanEnd = (w: HaWorld) =>
  w.server.control?.state === "shut down" ? w.server.control.checkpointEnd : undefined;
