// Has the last holder surely stopped, so that somebody else may take the lease? (R7, R25)

import type { Hold } from "../../../model/cluster.ts";
import { holdMsOf } from "../../../model/config.ts";
import { HEIR_ONLY_MS, rivalMayActAt } from "../../../model/lease.ts";
import type { Reason } from "../../../model/reason.ts";
import type { Instant } from "../../../model/time.ts";
import { after } from "../../../model/time.ts";
import type { HaWorld } from "../world.ts";
import { hasWhatWasReleased } from "./eligibility.ts";
import { clusterOf } from "./standing.ts";
import { strangerHasGone } from "./stranger.ts";
import { unguardedOther } from "./unguarded.ts";

export type Permission =
  | { readonly granted: true }
  | {
      readonly granted: false;
      readonly because: Reason;
      readonly wakeAt: Instant;
      readonly detail?: string;
    };

const granted: Permission = { granted: true };
const wait = (because: Reason, wakeAt: Instant, detail?: string): Permission => ({
  granted: false,
  because,
  wakeAt,
  ...(detail === undefined ? {} : { detail }),
});

/** Absence of the leader key is not permission: a release is, or silence of `hold` for H on this node's own clock. */
export function permission(w: HaWorld): Permission {
  const c = clusterOf(w);
  if (c === undefined) return wait("race_waiting_for_hold", after(w.now, holdMsOf(w.config)));
  // R30: a server that nobody ends may still take writes, however silent its agent is.
  const unguarded = unguardedOther(w);
  if (unguarded !== undefined) {
    const detail = `${unguarded.member} ran without its fence and has not said that it is armed again`;
    return wait("race_waiting_for_armed", after(w.now, holdMsOf(w.config)), detail);
  }
  // Its grantee may lead without a trace in the store (R27).
  if (w.promised !== undefined) return wait("race_promised_to_peer", w.promised.until);
  // R35: no `hold` to wait for; the server itself is asked before the race and again before the promotion.
  if (strangerHasGone(w)) return granted;
  // No trace of a holder, or no trace any more: somebody may have erased it under a living one. One H from then on.
  if (c.hold === undefined) {
    const seenAt = w.memory.holdGoneSince ?? w.now;
    return until(w, rivalMayActAt(seenAt, holdMsOf(w.config)));
  }
  if (w.holdSeen?.revision !== c.hold.modRevision) return wait("race_waiting_for_hold", w.now);
  if (c.hold.released !== undefined) return afterRelease(w, c.hold, w.holdSeen.seenAt);
  return until(w, rivalMayActAt(w.holdSeen.seenAt, c.hold.holdMs));
}

/** R8: a leader key whose holder, one of ours, has been silent for H. Absence and silence then mean the same. */
export function leaderIsStale(w: HaWorld): boolean {
  const c = clusterOf(w);
  if (c?.leader === undefined || c.hold === undefined || c.hold.term !== c.leader.term)
    return false;
  return c.hold.released === undefined && permission(w).granted;
}

function until(w: HaWorld, at: Instant): Permission {
  return w.now >= at ? granted : wait("race_waiting_for_hold", at);
}

/** For two seconds only the heir, then the former holder too, and everybody after H by the lag rule (R25). */
function afterRelease(w: HaWorld, hold: Hold, seenAt: Instant): Permission {
  const everybodyAt = rivalMayActAt(seenAt, hold.holdMs);
  if (w.now >= everybodyAt) return granted;
  const heir = hold.released?.heir;
  const enough = hasWhatWasReleased(w, hold);
  if (heir === undefined) return enough ? granted : wait("race_waiting_for_heir", everybodyAt);
  if (heir === w.self.name && enough) return granted;
  const formerHolderAt = after(seenAt, HEIR_ONLY_MS);
  if (hold.holder !== w.self.name) return wait("race_waiting_for_heir", everybodyAt);
  return w.now >= formerHolderAt ? granted : wait("race_waiting_for_heir", formerHolderAt);
}
