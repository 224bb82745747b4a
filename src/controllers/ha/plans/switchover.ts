// Who was asked to take over from a living primary, and can it?

import type { FailoverIntent } from "../../../model/cluster.ts";
import { lagBytes } from "../../../model/lsn.ts";
import { after, type Ms } from "../../../model/time.ts";
import type { HaUpkeep } from "../steps.ts";
import type { HaMemory, HaWorld } from "../world.ts";
import { type Candidate, heirs, isSettling, whyNot } from "./candidates.ts";
import { handingOver } from "./routers.ts";
import { clusterOf, leads, sqlOf } from "./standing.ts";

/** So long after it was first seen, a wish waits for standbys that are still going over to this leader. */
const SETTLING_MS: Ms = 3_000;

/** The intent that is meant for this node as the leader, if there is one. */
export function switchoverIntent(w: HaWorld): FailoverIntent | undefined {
  const intent = clusterOf(w)?.failover.value;
  if (intent === undefined || intent.candidate === w.self.name) return undefined;
  return intent.leader === undefined || intent.leader === w.self.name ? intent : undefined;
}

/** A person asked for this very member and it could not be promoted: the others need not wait for it for ever. */
export function wishHasFailed(w: HaWorld): readonly HaUpkeep[] {
  const intent = clusterOf(w)?.failover;
  if (intent?.value?.candidate !== w.self.name || isForLater(w, intent.value)) return [];
  return [{ kind: "clear-failover", revision: intent.modRevision }];
}

const isForLater = (w: HaWorld, { scheduledAtMs }: FailoverIntent): boolean =>
  scheduledAtMs !== undefined && scheduledAtMs > w.wallMs;

/** Whether a switchover away from this node was asked for, and for now. */
export function isSwitchoverDue(w: HaWorld): boolean {
  const intent = switchoverIntent(w);
  return intent !== undefined && (intent.scheduledAtMs ?? w.wallMs) <= w.wallMs;
}

/** The member that takes over in the switchover that was asked for, if it is able to. */
export function switchoverCandidate(w: HaWorld): Candidate | undefined {
  const intent = switchoverIntent(w);
  if (intent === undefined) return undefined;
  return heirs(w).find((c) => intent.candidate === undefined || c.member.name === intent.candidate);
}

/** Why the switchover can't begin now, or undefined when it can. */
export function switchoverProblem(w: HaWorld, intent: FailoverIntent): string | undefined {
  const candidate = switchoverCandidate(w);
  if (candidate === undefined) {
    if (intent.candidate !== undefined)
      return `${intent.candidate} ${whyNot(w, intent.candidate) ?? "cannot take over"}`;
    const reasons = Object.keys(w.peers).map(
      (name) => `${name} ${whyNot(w, name) ?? "cannot take over"}`,
    );
    return reasons.length === 0 ? "there is no other member" : reasons.join("; ");
  }
  const lag = lagBytes(sqlOf(w)?.position ?? candidate.position, candidate.position);
  return lag > w.config.maximumLagOnFailover
    ? `${candidate.member.name} is ${lag} bytes behind, ${w.config.maximumLagOnFailover} allowed`
    : undefined;
}

/**
 * The switchover and since when it is known, while all that stands in its way may be over in a moment: as right after
 * another one. Undefined when it is not worth waiting for, has been waited for, or clients of routers wait already.
 */
export function settlingFor(w: HaWorld, intent: FailoverIntent): HaMemory["handover"] {
  const revision = clusterOf(w)?.failover.modRevision ?? 0;
  const { handover } = w.memory;
  const since = handover?.revision === revision ? handover.since : w.now;
  const mayComeTrue = Object.keys(w.peers).some(
    (name) => (intent.candidate ?? name) === name && isSettling(w, name),
  );
  const isAble = switchoverCandidate(w) !== undefined;
  const isWaitedFor = handingOver(w) !== undefined;
  if (isAble || isWaitedFor || !mayComeTrue || w.now >= after(since, SETTLING_MS)) return undefined;
  return { revision, since };
}

/** The named member, and the one that gives up or has just given up; nobody else acts upon it. */
export function isPartOfSwitchover(w: HaWorld): boolean {
  const c = clusterOf(w);
  const intent = c?.failover.value;
  const candidate = intent?.candidate;
  // What was planned for later is no word about this moment: it waits for the end of the pause.
  if (candidate === undefined || intent?.scheduledAtMs !== undefined) return false;
  const isGivingUp = leads(w) !== undefined || c?.hold?.holder === w.self.name;
  return candidate === w.self.name || (isGivingUp && switchoverCandidate(w) !== undefined);
}
