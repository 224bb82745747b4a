// The primary's server is down and the lease is still ours: hand over, or restart in place? (R24, R25, R46)
import type { Lease } from "../../../model/lease.ts";
import { type Lsn, printLsn } from "../../../model/lsn.ts";
import { after } from "../../../model/time.ts";
import type { CrashEnd } from "../../../ports/postgres.ts";
import type { Verdict } from "../rungs/rung.ts";
import type { HaWorld } from "../world.ts";
import { successors } from "./asking.ts";
import type { Candidate } from "./candidates.ts";
import { isDiskFull, lacksWatchdog } from "./fitness.ts";
import { MINUTE_OF_SERVICE_MS, oneMore, recentCrashes, tooMany } from "./restarts.ts";
import { cleanEnd, clusterOf } from "./standing.ts";
import { isSwitchoverDue, switchoverCandidate } from "./switchover.ts";
import { closeGate } from "./sync-keeping.ts";

/** How long a switchover waits for the candidate's last byte once the server is down. */
const CATCH_UP_MS = 3_000;
const LOOK_AGAIN_MS = 50;
/** With nobody to hand over to, restarting goes on, but ever more slowly. */
const CRASH_BACKOFF_MOST_MS = 30_000;

export function deadPrimary(w: HaWorld, lease: Lease): Verdict {
  const restart = w.requests.restart;
  const lastStart = w.outcomes["start-primary"];
  // A restart that was asked for and failed is a crash like any other: it must not hold the lease for ever.
  const hasFailed = restart !== undefined && lastStart?.ok === false && lastStart.at > restart.at;
  if (restart !== undefined && !hasFailed && !lacksWatchdog(w))
    return startInPlace(w, lease, "lead_restarting", false);
  const end = cleanEnd(w);
  if (end !== undefined && isSwitchoverDue(w)) return switchover(w, lease, end);
  return crashed(w, lease, end);
}

function switchover(w: HaWorld, lease: Lease, end: Lsn): Verdict {
  const candidate = switchoverCandidate(w);
  if (candidate !== undefined && candidate.position >= end) {
    return release(lease, candidate, end, "switchover_handing_over");
  }
  const limit = after(w.memory.downSince ?? w.now, CATCH_UP_MS);
  if (w.now < limit) {
    const detail = `waiting for ${printLsn(end)} on the candidate`;
    return {
      because: "switchover_handing_over",
      detail,
      vouch: true,
      wakeAt: after(w.now, LOOK_AGAIN_MS),
    };
  }
  const revision = clusterOf(w)?.failover.modRevision ?? 0;
  // R14: its watchdog may have failed since the switchover began; then the leadership goes to whoever can have it.
  const instead = lacksWatchdog(w)
    ? crashed(w, lease, end)
    : startInPlace(w, lease, "switchover_abandoned", false);
  return { ...instead, upkeep: [{ kind: "clear-failover", revision }] };
}

function crashed(w: HaWorld, lease: Lease, clean: Lsn | undefined): Verdict {
  const best = successors(w)[0];
  if (best === undefined)
    return lacksWatchdog(w) ? toNobody(w, lease, clean) : restartOrGiveUp(w, lease, undefined);
  const end = clean ?? examined(w);
  if (end === "not yet") {
    return {
      because: "crash_examining",
      detail: `from ${printLsn(best.position)}, the flushed position of ${best.member.name}`,
      step: { kind: "find-crash-end", from: best.position, lineage: w.server.lineage },
      vouch: true,
    };
  }
  if (end !== undefined && best.position >= end)
    return release(lease, best, end, "crash_handing_over");
  return restartOrGiveUp(w, lease, end);
}

/** It must not lead and nobody is there to lead instead: whoever comes first may have the lease. */
function toNobody(w: HaWorld, lease: Lease, end: Lsn | undefined): Verdict {
  return {
    because: "lead_without_watchdog",
    detail: `it is ${w.fence.watchdog}, and nobody can take over`,
    step: { kind: "release", term: lease.term, release: { heir: undefined, minLsn: end } },
  };
}

/** What the scan of this death's WAL said: its end, undefined for "unknown", or "not yet". */
function examined(w: HaWorld): Lsn | undefined | "not yet" {
  const outcome = w.outcomes["find-crash-end"];
  if (outcome === undefined || w.memory.downSince === undefined || outcome.at < w.memory.downSince)
    return "not yet";
  const found = outcome.result as CrashEnd | undefined;
  return outcome.ok && found?.kind === "end" ? found.lsn : undefined;
}

function release(
  lease: Lease,
  heir: Candidate,
  end: Lsn,
  because: "switchover_handing_over" | "crash_handing_over",
): Verdict {
  return {
    because,
    detail: `${heir.member.name} has ${printLsn(heir.position)}, the end is ${printLsn(end)}`,
    step: { kind: "release", term: lease.term, release: { heir: heir.member.name, minLsn: end } },
    vouch: true,
  };
}

function restartOrGiveUp(w: HaWorld, lease: Lease, end: Lsn | undefined): Verdict {
  const recent = recentCrashes(w.memory, w.now);
  const last = recent.at(-1);
  const failed = w.outcomes["start-primary"];
  const neverCameUp = last !== undefined && failed?.ok === false && failed.at >= last;
  const served = last === undefined || (w.now - last >= MINUTE_OF_SERVICE_MS && !neverCameUp);
  const diskFull = isDiskFull(w) || (failed?.ok === false && failed.code === "PG_DISK_FULL");
  const hopeless = tooMany(recent) || !served || diskFull || lacksWatchdog(w);
  if (hopeless && successors(w).length > 0) {
    const detail = `${recent.length} restarts in ten minutes${diskFull ? ", disk full" : ""}`;
    if (end === undefined) return { because: "crash_giving_up", detail }; // no vouch: the lease runs out
    const step = {
      kind: "release",
      term: lease.term,
      release: { heir: undefined, minLsn: end },
    } as const;
    return { because: "crash_giving_up", detail, step };
  }
  const again =
    last === undefined
      ? w.now
      : after(last, Math.min(1_000 * 2 ** recent.length, CRASH_BACKOFF_MOST_MS));
  if (hopeless && w.now < again) {
    return {
      because: "start_backoff",
      detail: `${recent.length} restarts in ten minutes`,
      vouch: true,
      wakeAt: again,
    };
  }
  return startInPlace(w, lease, "crash_restarting", true);
}

function startInPlace(
  w: HaWorld,
  lease: Lease,
  because: "crash_restarting" | "lead_restarting" | "switchover_abandoned",
  crash: boolean,
): Verdict {
  const close = closeGate(w);
  if (close !== undefined) return { because, detail: "the gate first", step: close, vouch: true };
  return {
    because,
    step: {
      kind: "start-primary",
      plan: w.plan,
      term: lease.term,
      timeoutMs: w.config.primaryStartTimeoutMs,
    },
    vouch: true,
    ...(crash ? { remember: oneMore(w.memory, w.now) } : {}),
  };
}
