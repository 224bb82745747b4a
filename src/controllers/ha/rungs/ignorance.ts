// Can the store be read? If not, what may go on without it?
import { after, type Instant } from "../../../model/time.ts";
import { isolation } from "../plans/isolation.ts";
import { awaitsRecord, recordUpkeep } from "../plans/own-record.ts";
import { isDown, isPrimary, isRunning, isStandby } from "../plans/standing.ts";
import { startStandby } from "../plans/starting.ts";
import { isUnguarded } from "../plans/unguarded.ts";
import type { HaWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

/** A clean stop begins this long before the lease ends, so that the fence need not fire. */
const LEAVE_BEFORE_END_MS = 700;
const LOOK_AGAIN_MS = 250;

export function ignorance(w: HaWorld): Verdict | undefined {
  if (w.store.kind === "known") return undefined;
  const detail = w.store.why;
  if (w.server.process.kind === "orphans" && !w.config.paused)
    return { because: "fencing_orphans", detail, step: { kind: "kill" } };
  if (isPrimary(w) || mayBePrimary(w)) return primary(w, detail);
  if (isRunning(w)) return standby(w, detail);
  if (w.storeChanged) return { because: "store_changed", detail };
  if (
    isDown(w) &&
    w.server.directory === "data" &&
    w.lease.held === undefined &&
    !w.bootstrapping &&
    !w.config.paused
  ) {
    // Reads are better than nothing, and a running standby can race at once when the store is back.
    return { ...startStandby(w, "store_unread_waiting"), detail };
  }
  return { because: "store_unread_waiting", detail };
}

/** It goes on following whom it was told to, and its own record follows it. Another store teaches nothing. */
function standby(w: HaWorld, detail: string): Verdict {
  if (w.storeChanged) return { because: "store_changed", detail };
  const because = "store_unread_following";
  const soon = awaitsRecord(w) ? { wakeAt: after(w.now, LOOK_AGAIN_MS) } : {};
  return { because, detail, upkeep: recordUpkeep(w, undefined), ...soon };
}

/** A server that does not answer, under a lease of ours: what it is will be seen when it does. */
const mayBePrimary = (w: HaWorld): boolean =>
  isRunning(w) && !isStandby(w) && !w.server.standbySignal && w.lease.held !== undefined;

function primary(w: HaWorld, detail: string): Verdict {
  const held = w.lease.held;
  if (isUnguarded(w)) return { because: "paused", detail, vouch: held !== undefined };
  if (held === undefined)
    return { because: "demoting_without_lease", detail, step: { kind: "kill" } };
  const leaveAt = after(held.validUntil, -LEAVE_BEFORE_END_MS);
  if (w.now < leaveAt) return isolation(w) ?? goOn(w, detail, leaveAt);
  return {
    because: "store_unread_demoting",
    detail,
    step: { kind: "stop", timeoutMs: LEAVE_BEFORE_END_MS, heirApiUrl: undefined },
  };
}

/** The word of this look is what the next renewal needs, so the next look comes soon. Another store is no outage. */
function goOn(w: HaWorld, detail: string, leaveAt: Instant): Verdict {
  const byPeers = w.lease.grantor === "peers" && !w.storeChanged;
  const lookAgainAt = after(w.now, LOOK_AGAIN_MS);
  return {
    because: byPeers ? "store_unread_peers_promised" : "store_unread_lease_valid",
    detail,
    vouch: !w.storeChanged,
    wakeAt: lookAgainAt < leaveAt ? lookAgainAt : leaveAt,
  };
}
