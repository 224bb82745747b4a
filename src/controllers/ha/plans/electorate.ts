// With synchronous replication on: who may be elected? (R22)
//
// The store's `sync` key decides, not the configuration: it says what was promised for the commits of the last leader.
import { isVoter, type SyncState } from "../../../model/sync.ts";
import type { HaWorld } from "../world.ts";
import { clusterOf } from "./standing.ts";

/** Who may be elected; undefined when anybody may. */
export const electorate = (w: HaWorld): SyncState | undefined => clusterOf(w)?.sync.value;

/** A person asked for this very member whatever it costs: a failover, not a switchover. */
export function isForced(w: HaWorld, name: string): boolean {
  const intent = clusterOf(w)?.failover.value;
  return intent !== undefined && intent.leader === undefined && intent.candidate === name;
}

/** Whether a peer's word matters: in an asynchronous cluster everybody's does. */
export function counts(w: HaWorld, name: string): boolean {
  const state = electorate(w);
  return state === undefined || isVoter(state, name);
}
