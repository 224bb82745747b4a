// There is data but no healthy server: what brings it back, here or elsewhere?
import type { Lease } from "../../../model/lease.ts";
import { after } from "../../../model/time.ts";
import { compareLineage } from "../../../model/timeline.ts";
import { feedOf } from "../plans/cascade.ts";
import { deadPrimary } from "../plans/crash.ts";
import { isUnfinished } from "../plans/promotion.ts";
import { cloneFrom, rebuild } from "../plans/rejoin.ts";
import { followsSite } from "../plans/site.ts";
import { cleanEnd, leads, otherLeader, readyLeader } from "../plans/standing.ts";
import { startStandby } from "../plans/starting.ts";
import { wishHasFailed } from "../plans/switchover.ts";
import { unanswering } from "../plans/unanswering.ts";
import { unused } from "../plans/unused.ts";
import type { HaWorld } from "../world.ts";
import { recoverSite } from "./lead-site.ts";
import type { Verdict } from "./rung.ts";

/** Every session is refused with an error for as long as a hung postmaster is waited for (R39). */
const FAILING_MS = 5_000;
/** A standby without an upstream gets this long to become consistent by its own WAL. */
const ALONE_MS = 10_000;

export function recover(w: HaWorld): Verdict | undefined {
  const { process } = w.server;
  const vouch = leads(w) !== undefined;
  switch (process.kind) {
    case "orphans":
      return {
        because: "fencing_orphans",
        detail: `${process.count} left`,
        step: { kind: "kill" },
        vouch,
      };
    case "running":
      if (!process.guarded) return { because: "stray_server", step: { kind: "kill" }, vouch };
      if (process.accepting === "hung" || process.accepting === "stopped" || refusesAll(w)) {
        return { because: "server_hung", detail: process.accepting, step: { kind: "kill" }, vouch };
      }
      return process.accepting === "starting"
        ? stillStarting(w, process.startedAt + w.config.primaryStartTimeoutMs)
        : undefined;
    case "down": {
      const lease = leads(w);
      if (lease === undefined) return deadStandby(w);
      return followsSite(w) ? recoverSite(w, lease) : deadPrimaryOrUnfinished(w, lease);
    }
    default:
      return process satisfies never;
  }
}

/** It answers, and nobody gets past the error: no better than one that is hung. */
const refusesAll = ({ server: { process }, memory: { silentSince }, now }: HaWorld): boolean =>
  process.kind === "running" &&
  process.accepting === "failing" &&
  silentSince !== undefined &&
  now >= after(silentSince, FAILING_MS);

/** Started earlier (by an agent that has gone since) and still recovering: wait, but not for ever. */
function stillStarting(w: HaWorld, limit: number): Verdict {
  const detail = "still recovering";
  if (leads(w) === undefined) {
    // Without the signal it would open for writes at the end of its recovery (R16).
    if (!w.server.standbySignal)
      return { because: "demoting_without_lease", detail, step: { kind: "kill" } };
    return lacksUpstream(w, limit)
      ? { because: "server_hung", detail, step: { kind: "kill" } }
      : { because: "starting_standby", detail };
  }
  return unanswering(w);
}

/**
 * A standby that was told to follow nobody may lack WAL for ever: it is started again once there is somebody. One that
 * knows its upstream has all the time it needs; one that another life of this agent started has a limit.
 */
function lacksUpstream(w: HaWorld, limit: number): boolean {
  const alone = w.memory.startedAlone;
  if (alone === undefined) return w.now >= limit;
  return (
    alone &&
    w.now >= limit - w.config.primaryStartTimeoutMs + ALONE_MS &&
    readyLeader(w) !== undefined
  );
}

/** A promotion of this term that never finished leaves a server of unknown role: it is a standby again first (R16). */
function deadPrimaryOrUnfinished(w: HaWorld, lease: Lease): Verdict {
  const unfinished = isUnfinished(w, lease.term);
  if (!w.server.standbySignal && !unfinished) return deadPrimary(w, lease);
  return {
    because: "lead_not_eligible",
    detail: unfinished ? "the promotion did not finish" : "the server died before the promotion",
    ...unused(w, lease),
    upkeep: wishHasFailed(w),
    remember: { standBackUntil: after(w.now, w.config.ttlMs) },
  };
}

function deadStandby(w: HaWorld): Verdict {
  const source = readyLeader(w);
  if (source === undefined) {
    // Nobody to follow. A former primary starts as a standby too: its position is needed in the race (R16).
    return startStandby(w, otherLeader(w) === undefined ? "starting_standby" : "follow_waiting");
  }
  if (w.requests.reinitialise !== undefined) return cloneFrom(w, source, "reinitialising");
  if (w.memory.divergedFrom === source.term) return rebuild(w, source);
  if (!w.server.standbySignal) {
    // A former primary. After a clean stop its end is known; after a crash only pg_rewind can tell.
    const end = cleanEnd(w);
    if (end === undefined || compareLineage(w.server.lineage, end, source.lineage) === "diverged")
      return rebuild(w, source);
  }
  return startStandby(w, "starting_standby", { upstream: feedOf(w, source), source });
}
