// Does an operator hold the wheel?
import { after, type Instant } from "../../../model/time.ts";
import { clusterOf, isPrimary, leads } from "../plans/standing.ts";
import { switchoverCandidate } from "../plans/switchover.ts";
import { leaderUpkeep } from "../plans/upkeep.ts";
import type { HaWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

/**
 * Paused, nothing is started, stopped or promoted by itself. The lease is kept alive and the fence stays armed, so
 * that a pause is never a second way to two primaries. A switchover to a named member is still carried out.
 */
export function pause(w: HaWorld): Verdict | undefined {
  if (!w.config.paused) return undefined;
  if (isPartOfSwitchover(w)) return undefined;
  if (w.requests.restart !== undefined || w.requests.reinitialise !== undefined) return undefined;
  const lease = leads(w);
  if (lease !== undefined && isPrimary(w)) {
    return { because: "paused", vouch: true, upkeep: leaderUpkeep(w, lease.term), ...untilOver(w) };
  }
  return { because: "paused", ...untilOver(w) };
}

/** A pause with an end needs nobody to resume it: the first look after that moment sees none. */
function untilOver(w: HaWorld): { readonly wakeAt?: Instant } {
  const { untilMs } = w.config.pauseNote;
  return untilMs === undefined ? {} : { wakeAt: after(w.now, Math.max(0, untilMs - w.wallMs)) };
}

/** The named member, and the one that gives up or has just given up; nobody else acts upon it. */
function isPartOfSwitchover(w: HaWorld): boolean {
  const c = clusterOf(w);
  const candidate = c?.failover.value?.candidate;
  if (candidate === undefined) return false;
  const isGivingUp = leads(w) !== undefined || c?.hold?.holder === w.self.name;
  return candidate === w.self.name || (isGivingUp && switchoverCandidate(w) !== undefined);
}
