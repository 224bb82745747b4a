// By whose votes may this member be elected, and does another one need its vote? (R22)
import { valueOf } from "../../../model/known.ts";
import { isVoter, type SyncState } from "../../../model/sync.ts";
import type { HaWorld } from "../world.ts";
import { isAhead } from "./candidates.ts";
import { electorate, isForced } from "./electorate.ts";
import type { Refusal } from "./refusal.ts";
import { clusterOf, sqlOf } from "./standing.ts";

/** Why this member cannot be elected by what `sync` promises, or undefined when it can. */
export function notElected(w: HaWorld): Refusal | undefined {
  const state = electorate(w);
  if (state === undefined || isForced(w, w.self.name)) return undefined;
  if (!isVoter(state, w.self.name)) {
    const detail = `commits were promised to be on ${[state.leader, ...state.standbys].join(", ")}`;
    return { because: "race_not_synchronous", detail };
  }
  // The leader of those commits has them all, and without a quorum so has every standby.
  if (state.leader === w.self.name || state.quorum === 0) return undefined;
  const votes = votesFor(w, state);
  if (votes.includes(state.leader) || votes.length >= state.quorum) return undefined;
  const detail = `${votes.length} of ${state.quorum} votes (${votes.join(", ") || "nobody's"})`;
  return { because: "race_no_quorum", detail };
}

/**
 * Voters that have no more than this member. Before the lease is won their answers are a forecast; afterwards only those
 * count that have revoked for its very term, since nothing can be added to their positions any more.
 */
function votesFor(w: HaWorld, state: SyncState): readonly string[] {
  const position = sqlOf(w)?.position;
  const term = w.lease.held?.term;
  if (position === undefined) return [];
  return Object.entries(w.peers).flatMap(([name, answer]) => {
    const peer = valueOf(answer);
    if (peer === undefined || !isVoter(state, name) || name === w.self.name) return [];
    const isSettled = peer.role === "standby" && peer.position !== undefined;
    const hasRevoked = term === undefined || peer.promisedTerm === term;
    return isSettled && hasRevoked && !isAhead(peer, w.server.lineage, position) ? [name] : [];
  });
}

/**
 * Another member has won the lease and needs this one's vote. The leader key is the request: its term is the one that is
 * promised. The former leader that starts again needs no votes.
 */
export function mustRevoke(w: HaWorld): boolean {
  const state = electorate(w);
  const leader = clusterOf(w)?.leader;
  if (state === undefined || leader === undefined || state.quorum === 0) return false;
  if (leader.name === w.self.name || leader.name === state.leader) return false;
  return isVoter(state, w.self.name) && (w.promisedTerm ?? 0) < leader.term;
}
