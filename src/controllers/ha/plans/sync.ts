// The resolver: from names and sync state as they are to those that are wanted, one safe move at a time.
//
// Every commit that PostgreSQL may have acknowledged must be found by every election that `sync` permits, at every
// instant and wherever the agent dies. Two kinds of move keep that:
//
// - Names change only through the closed gate. While it is closed nothing is acknowledged, so old and new names never
//   act together, although every process reads them at its own moment. And where the WAL ended when the gate was
//   proven closed, everything acknowledged by older rules has ended too (R20, R21).
// - A sync state is published only when it covers the names in force, and enough of its voters have the WAL up to
//   that proof. One that asks for more votes of fewer members is always safe.
import type { Lsn } from "../../../model/lsn.ts";
import {
  aloneWith,
  covers,
  isSameState,
  leastQuorum,
  printSyncNames,
  type SyncNames,
  type SyncState,
  waitOf,
} from "../../../model/sync.ts";

export interface SyncView {
  readonly me: string;
  readonly state: SyncState | undefined;
  /** As last written, and whether the server's session shows them. */
  readonly names: SyncNames;
  readonly isShown: boolean;
  /** WAL end at the last proof of a closed gate on this run; since then the names were changed by these moves only. */
  readonly provenEnd: Lsn | undefined;
  /** What each standby has confirmed as flushed. */
  readonly flushed: Readonly<Record<string, Lsn>>;
  readonly wanted: SyncNames;
}

export type SyncMove =
  | { readonly kind: "publish"; readonly state: SyncState }
  | { readonly kind: "set-names"; readonly names: SyncNames }
  | { readonly kind: "prove" }
  /** The chosen have not yet confirmed what was acknowledged before they were chosen. */
  | { readonly kind: "wait"; readonly missing: readonly string[] };

const CLOSED: SyncNames = { kind: "closed" };
const isSame = (a: SyncNames, b: SyncNames): boolean => printSyncNames(a) === printSyncNames(b);

/** The next move, or undefined when everything is as wanted. */
export function nextSyncMove(v: SyncView): SyncMove | undefined {
  // A leader's first: until it has put itself in the place of the last one, its gate is closed.
  if (v.state?.leader !== v.me) return { kind: "publish", state: aloneWith(v.me) };
  if (!v.isShown) return { kind: "set-names", names: CLOSED };
  if (isSame(v.names, v.wanted)) return settle(v, v.state);
  if (covers(v.state, v.wanted)) return change(v);
  return makeRoom(v, v.state);
}

/** The names are right; is the state? */
function settle(v: SyncView, state: SyncState): SyncMove | undefined {
  // Behind a closed gate nothing is acknowledged: whoever could be elected before still may.
  if (v.names.kind === "closed") return undefined;
  const target = stateFor(v.me, v.names);
  if (isSameState(state, target)) return undefined;
  if (target.standbys.length === 0) return { kind: "publish", state: target };
  if (v.provenEnd === undefined) return { kind: "set-names", names: CLOSED };
  const missing = withoutProof(v, target);
  const mayMiss = target.quorum;
  return missing.length > mayMiss ? { kind: "wait", missing } : { kind: "publish", state: target };
}

/** Everything between two sets of names goes through the gate; to wait for nobody needs none. */
function change({ names, wanted, provenEnd }: SyncView): SyncMove {
  if (waitOf(wanted).members.length === 0) return { kind: "set-names", names: wanted };
  if (names.kind !== "closed") return { kind: "set-names", names: CLOSED };
  return provenEnd === undefined ? { kind: "prove" } : { kind: "set-names", names: wanted };
}

/** The state does not cover the names to come: the one that does is published first, or a weaker one. */
function makeRoom(v: SyncView, state: SyncState): SyncMove {
  const target = stateFor(v.me, v.wanted);
  const isProven = v.provenEnd !== undefined && withoutProof(v, target).length <= target.quorum;
  if (isProven && covers(target, v.names)) return { kind: "publish", state: target };
  const standbys = state.standbys.filter((name) => target.standbys.includes(name));
  const quorum = Math.max(
    state.quorum,
    leastQuorum(standbys, v.names),
    leastQuorum(standbys, v.wanted),
  );
  return {
    kind: "publish",
    state: quorum >= standbys.length ? aloneWith(v.me) : { leader: v.me, standbys, quorum },
  };
}

/** Who may be elected when commits go by `names`. */
export function stateFor(leader: string, names: SyncNames): SyncState {
  const { members } = waitOf(names);
  return { leader, standbys: members, quorum: leastQuorum(members, names) };
}

/** Voters of `state` that have not confirmed the WAL up to the proof. */
function withoutProof(v: SyncView, state: SyncState): readonly string[] {
  const end = v.provenEnd;
  return state.standbys.filter((name) => {
    const at = v.flushed[name];
    return end === undefined || at === undefined || at < end;
  });
}
