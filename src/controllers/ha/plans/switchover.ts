// Who was asked to take over from a living primary, and can it?

import type { FailoverIntent } from "../../../model/cluster.ts";
import { lagBytes } from "../../../model/lsn.ts";
import type { HaUpkeep } from "../steps.ts";
import type { HaWorld } from "../world.ts";
import { type Candidate, heirs, whyNot } from "./candidates.ts";
import { clusterOf, sqlOf } from "./standing.ts";

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
