// R30: a pause lets the primary run without a deadline. What makes that safe, and how is it undone?
//
// The order is the whole point. First the store names the member, by a write that compares its term; from then on every
// acquire by anybody else fails on that record. Only then the fence lets go. Back again: the fence first, the record last.
import { basisOf } from "../../../model/acquire-basis.ts";
import type { ClusterSnapshot } from "../../../model/cluster.ts";
import { holdMsOf } from "../../../model/config.ts";
import type { Lease } from "../../../model/lease.ts";
import { after, type Instant, type Ms } from "../../../model/time.ts";
import type { Unguarded } from "../../../model/unguarded.ts";
import type { Verdict } from "../rungs/rung.ts";
import type { HaWorld } from "../world.ts";
import { clusterOf, isDown, isPrimary, isStandby, leads } from "./standing.ts";

/** A write or a word to the fence that failed is repeated no sooner. */
const TRY_AGAIN_MS: Ms = 1_000;

/** The record, when it names this member. */
const ownRecord = (w: HaWorld): Unguarded | undefined => {
  const record = clusterOf(w)?.unguarded.value;
  return record?.member === w.self.name ? record : undefined;
};

/** Somebody else's server may run without a deadline, whether its agent lives or not: nobody may lead but that member. */
export function unguardedOther(w: HaWorld): Unguarded | undefined {
  const record = clusterOf(w)?.unguarded.value;
  return record === undefined || record.member === w.self.name ? undefined : record;
}

/**
 * Our server runs without a deadline and rightly so: it may go on whatever becomes of agent, lease and store. While the
 * store cannot be read the fence's memory counts: only this member or a person can have taken the record away. Of a fence
 * that is silent we go by its last word: if it is dead, its server is dying too.
 */
export function isUnguarded(w: HaWorld): boolean {
  const { process } = w.server;
  if (w.fence.unguarded === undefined || process.kind !== "running") return false;
  if (!process.guarded && w.fence.alive) return false;
  return clusterOf(w) === undefined || ownRecord(w) !== undefined;
}

/** A fence that stands still would be replaced, and its server with it: in a pause it is waited for. */
export const mayStandStill = (w: HaWorld): boolean =>
  w.config.paused && isUnguarded(w) && w.fence.serverPid !== undefined;

/** The first phase: recorded, then let go. Undefined when that is done, or not possible. */
export function letGo(w: HaWorld, lease: Lease): Verdict | undefined {
  const c = clusterOf(w);
  const { process } = w.server;
  const isOurs = process.kind === "running" && process.guarded && w.fence.alive;
  if (c === undefined || !isOurs) return undefined;
  if (w.fence.unguarded !== undefined) return isUnguarded(w) ? undefined : guard(w);
  if (whoWouldNotHeed(w, c) !== undefined) return undefined;
  if (!isFreshlyRecorded(w, lease)) return tellStore(w, c, lease);
  if (w.now < retryAt(w, "unguard")) return undefined;
  const step = { kind: "unguard", term: lease.term } as const;
  return { because: "pause_letting_go", step, vouch: true };
}

/** An agent of an earlier version would race past the record; while there is one the deadline stays. */
export const whoWouldNotHeed = (w: HaWorld, c: ClusterSnapshot): string | undefined =>
  c.members.find((m) => m.name !== w.self.name && m.ours?.heedsPause !== true)?.name;

/**
 * Written in this life of the agent and since the record was last taken away: a removal of an older one that is still
 * under way compares that one's revision, and finds another.
 */
function isFreshlyRecorded(w: HaWorld, lease: Lease): boolean {
  const written = w.outcomes["record-unguarded"];
  const cleared = w.outcomes["clear-unguarded"];
  const isWritten = written?.ok === true && written.result === "written";
  const isLast = isWritten && (cleared === undefined || cleared.at < written.at);
  return isLast && ownRecord(w)?.term === lease.term;
}

function tellStore(w: HaWorld, c: ClusterSnapshot, lease: Lease): Verdict | undefined {
  if (w.now < retryAt(w, "record-unguarded")) return undefined;
  const { name: member, host, port, apiUrl } = w.self;
  const { term } = lease;
  return {
    because: "pause_letting_go",
    detail: "the store is told first",
    step: {
      kind: "record-unguarded",
      term,
      record: { member, term, sinceMs: w.wallMs, host, port, apiUrl },
      revision: c.unguarded.modRevision,
    },
    vouch: true,
  };
}

/** The second phase: the leader key if it has ended meanwhile, the deadline, and the record last. */
export function takeBack(w: HaWorld): Verdict | undefined {
  const lease = leads(w);
  if (w.fence.unguarded !== undefined && isPrimary(w)) {
    if (lease !== undefined) return guard(w);
    return isUnguarded(w) ? takeKey(w) : undefined;
  }
  return clearOwn(w);
}

function guard(w: HaWorld): Verdict {
  const because = "pause_ending";
  const again = retryAt(w, "guard");
  if (w.now < again) return { because, vouch: true, wakeAt: again };
  return { because, step: { kind: "guard" }, vouch: true };
}

/** Seen down, a standby again, or guarded: what the record says is over. */
export function clearOwn(w: HaWorld): Verdict | undefined {
  const c = clusterOf(w);
  if (c === undefined || ownRecord(w) === undefined || !w.fence.alive) return undefined;
  const lease = leads(w);
  const { armed } = w.fence;
  const isGuarded =
    lease !== undefined && armed?.term === lease.term && armed.until > w.now && isPrimary(w);
  if (!isDown(w) && !isStandby(w) && !isGuarded) return undefined;
  const because = "pause_ending";
  const detail = isGuarded ? "the store is told last" : "there is no primary here any more";
  const vouch = isGuarded;
  const again = retryAt(w, "clear-unguarded");
  if (w.now < again) return { because, detail, vouch, wakeAt: again };
  const step = { kind: "clear-unguarded", revision: c.unguarded.modRevision } as const;
  return { because, detail, step, vouch };
}

/**
 * The leader key ended while agent or store were away. The record kept everybody else from leading, so there is nobody
 * to be waited for (R7): it is acquired under what was read, the record included, and the server runs on.
 */
export function takeKey(w: HaWorld): Verdict | undefined {
  const c = clusterOf(w);
  if (c === undefined) return undefined;
  const { leader } = c;
  if (leader !== undefined && leader.name !== w.self.name) {
    const detail = `${leader.name} leads in spite of the record`;
    return { because: "follow_demoting", detail, step: { kind: "kill" } };
  }
  const because = "pause_taking_key";
  const unknownSince = w.lease.acquireUnknownSince;
  const settledAt =
    unknownSince === undefined ? w.now : after(unknownSince, holdMsOf(w.config) / 8);
  const again = Math.max(settledAt, retryAt(w, "acquire")) as Instant;
  // One in our name on another lease is an earlier life's: it ends by itself.
  if (leader !== undefined) return { because, wakeAt: after(w.now, TRY_AGAIN_MS) };
  if (w.now < again) return { because, wakeAt: again };
  return { because, step: { kind: "acquire", basis: basisOf(c) } };
}

/** After a success there is nothing to wait for: the next look shows it. */
function retryAt(w: HaWorld, kind: string): Instant {
  const last = w.outcomes[kind];
  if (last === undefined) return w.now;
  const isDone = last.ok && (last.result === undefined || last.result === "written");
  return isDone ? w.now : after(last.at, TRY_AGAIN_MS);
}
