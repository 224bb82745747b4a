// Is the agent leaving?

import { isValid } from "../../../model/lease.ts";
import { heirs } from "../plans/candidates.ts";
import { cleanEnd, isDown, isPrimary, isStandby, leads } from "../plans/standing.ts";
import { switchoverCandidate } from "../plans/switchover.ts";
import { isUnguarded, letGo } from "../plans/unguarded.ts";
import { unused } from "../plans/unused.ts";
import type { HaWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

/** A clean stop of the agent may take this long; then the fence ends what is left. */
const STOP_LIMIT_MS = 60_000;

export function halt(w: HaWorld): Verdict | undefined {
  if (w.requests.stopping === undefined) return undefined;
  if (w.requests.stopping === "detach") return { because: "detached", vouch: holds(w) };
  const stays = staysInPause(w);
  if (stays !== undefined) return stays;
  if (w.job !== undefined) {
    if (w.job.step.kind === "stop") return { because: "stopping_server", vouch: holds(w) };
    return { because: "stopping_server", cancelJob: true };
  }
  if (!isDown(w)) return stopServer(w);
  return handOver(w);
}

/** In a pause the agent leaves and takes nothing with it: a primary is let go first (R30). */
function staysInPause(w: HaWorld): Verdict | undefined {
  if (!w.config.paused || w.job !== undefined) return undefined;
  if (isStandby(w) || isUnguarded(w)) return { because: "detached", vouch: holds(w) };
  const lease = leads(w);
  return lease === undefined || !isPrimary(w) ? undefined : letGo(w, lease);
}

function stopServer(w: HaWorld): Verdict {
  // A gentle stop is for those who may still serve: it takes its time.
  const isLawless = isPrimary(w) && !isValid(w.lease.held, w.now);
  if (w.server.process.kind === "orphans" || isLawless)
    return { because: "stopping_server", step: { kind: "kill" }, vouch: holds(w) };
  const heir = isPrimary(w) ? (switchoverCandidate(w) ?? heirs(w)[0])?.member : undefined;
  return {
    because: "stopping_server",
    step: { kind: "stop", timeoutMs: STOP_LIMIT_MS, heirApiUrl: heir?.apiUrl },
    vouch: holds(w),
  };
}

const holds = (w: HaWorld): boolean => w.lease.held !== undefined;

/** The leadership is given up only now that PostgreSQL is down, and only to somebody who has every byte (R26). */
function handOver(w: HaWorld): Verdict {
  const lease = leads(w);
  const end = cleanEnd(w);
  if (lease === undefined) return { because: "stopped" };
  if (w.server.standbySignal) return { ...unused(w, lease), because: "handing_over_before_stop" };
  if (end === undefined) return { because: "stopped" };
  const heir = heirs(w).find((c) => c.position >= end);
  return {
    because: "handing_over_before_stop",
    step: { kind: "release", term: lease.term, release: { heir: heir?.member.name, minLsn: end } },
    vouch: true,
  };
}
