// Who of the others could lead, and who has more of the WAL?

import { memberNamed } from "../../../model/cluster.ts";
import { valueOf } from "../../../model/known.ts";
import type { Lsn } from "../../../model/lsn.ts";
import type { Member, PeerStatus } from "../../../model/member.ts";
import { headOf, type Lineage } from "../../../model/timeline.ts";
import type { HaWorld } from "../world.ts";
import { counts, isForced } from "./electorate.ts";
import { isListed } from "./roster.ts";
import { clusterOf } from "./standing.ts";

/** A standby that could take over, with its position on our branch. */
export interface Candidate {
  readonly member: Member;
  readonly position: Lsn;
  readonly priority: number;
}

/** Why a peer cannot be handed the leadership, or undefined when it can. */
export const whyNot = (w: HaWorld, name: string): string | undefined =>
  standsAgainst(w, name) ?? notYet(w, name);

/** Nothing stands against this peer for good: it only has to find its place behind a new leader first. */
export const isSettling = (w: HaWorld, name: string): boolean =>
  standsAgainst(w, name) === undefined && notYet(w, name) !== undefined;

/** What another look does not change by itself. */
function standsAgainst(w: HaWorld, name: string): string | undefined {
  const c = clusterOf(w);
  const member = c === undefined ? undefined : memberNamed(c, name);
  if (member === undefined) return "no such member";
  if (member.tags.nofailover) return "tagged nofailover";
  if (!isListed(w, name)) return "is not in the list of members that may lead yet";
  if (!counts(w, name) && !isForced(w, name)) return "is not a synchronous standby";
  const answer = w.peers[name];
  // One question without an answer says nothing for good: the next may be answered.
  if (answer === undefined || answer.kind === "unknown") return undefined;
  const peer = answer.value;
  if (peer.tags.nofailover) return "tagged nofailover";
  if (peer.unfit !== undefined) return peer.unfit;
  return peer.watchdogFailed ? "its watchdog has failed" : undefined;
}

/**
 * What passes within seconds while a standby goes over to a new leader, a former primary becomes a standby, or a busy host
 * is late with its answer.
 */
function notYet(w: HaWorld, name: string): string | undefined {
  const answer = w.peers[name];
  if (answer === undefined) return "not asked yet";
  if (answer.kind === "unknown") return `does not answer (${answer.why})`;
  const peer = answer.value;
  if (peer.role !== "standby" || peer.state !== "running") return `is ${peer.role}, ${peer.state}`;
  if (peer.position === undefined) return "its position is not settled";
  if (!sameBranch(peer, w.server.lineage)) return "is on another branch of history";
  return undefined;
}

const sameBranch = (peer: PeerStatus, lineage: Lineage): boolean => {
  const mine = headOf(lineage);
  if (mine === undefined) return false;
  // One of Patroni's says the number alone; whether it streams from us shows before a hand-over ends (R26).
  const theirs = headOf(peer.lineage);
  if (theirs === undefined) return peer.timeline === mine.timeline;
  return theirs.timeline === mine.timeline && theirs.term === mine.term;
};

/** Standbys on this server's own branch that can be handed the leadership; the furthest first, then by priority. */
export function heirs(w: HaWorld): readonly Candidate[] {
  const found: Candidate[] = [];
  for (const name of Object.keys(w.peers)) {
    const c = clusterOf(w);
    const member = c === undefined ? undefined : memberNamed(c, name);
    const peer = valueOf(w.peers[name] ?? { kind: "unknown", why: "not asked", at: w.now });
    if (member === undefined || peer?.position === undefined || whyNot(w, name) !== undefined)
      continue;
    found.push({ member, position: peer.position, priority: peer.tags.failoverPriority });
  }
  return found.toSorted(furthestFirst);
}

function furthestFirst(a: Candidate, b: Candidate): number {
  if (a.position === b.position) return b.priority - a.priority;
  return a.position > b.position ? -1 : 1;
}

/**
 * How late a peer's or our history is: a later term is a later history, whatever the positions say. Patroni's agents name
 * no branches, and those that they began have no term of ours: there the timeline's number is all there is.
 */
function ages(peer: PeerStatus, lineage: Lineage): readonly [theirs: number, mine: number] {
  const [their, my] = [headOf(peer.lineage), headOf(lineage)];
  const isOurs = their !== undefined && their.term >= 0 && (my?.term ?? -1) >= 0;
  if (isOurs) return [their.term, my?.term ?? -1];
  const number = their?.timeline ?? peer.timeline;
  return number === undefined ? [-1, 0] : [number, my?.timeline ?? 0];
}

/**
 * Whether a peer's data is further than `mine`: a newer branch first, then more bytes on the same branch (R19, R23).
 * A peer whose position is not settled counts as not ahead: it could not win either.
 */
export function isAhead(peer: PeerStatus, lineage: Lineage, position: Lsn): boolean {
  if (peer.position === undefined) return false;
  const [theirs, mine] = ages(peer, lineage);
  return theirs === mine ? peer.position > position : theirs > mine;
}
