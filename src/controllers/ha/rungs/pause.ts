// Does an operator hold the wheel?
import type { Lease } from "../../../model/lease.ts";
import { after, type Instant } from "../../../model/time.ts";
import { openGate } from "../plans/isolation.ts";
import { followsSite } from "../plans/site.ts";
import { clusterOf, isPrimary, isStandby, leads } from "../plans/standing.ts";
import { isPartOfSwitchover } from "../plans/switchover.ts";
import { keepSync } from "../plans/sync-keeping.ts";
import {
  clearOwn,
  isUnguarded,
  letGo,
  takeBack,
  takeKey,
  whoWouldNotHeed,
} from "../plans/unguarded.ts";
import { leaderUpkeep, siteUpkeep } from "../plans/upkeep.ts";
import type { HaWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

/**
 * Paused, nothing is started, stopped or promoted by itself, and the primary runs without a deadline: agent and store may
 * go and come. Whoever acts on a person's word during a pause is guarded first, and so is everybody when it ends (R30).
 */
export function pause(w: HaWorld): Verdict | undefined {
  if (!w.config.paused || isActing(w)) return takeBack(w);
  const verdict = held(w);
  const wakeAt = earlier(verdict.wakeAt, overAt(w));
  return { ...verdict, ...(wakeAt === undefined ? {} : { wakeAt }) };
}

function held(w: HaWorld): Verdict {
  if (!isPrimary(w)) return clearOwn(w) ?? leadingSite(w) ?? { because: "paused" };
  const lease = leads(w);
  if (lease !== undefined) return leading(w, lease);
  if (isUnguarded(w)) return takeKey(w) ?? { because: "paused" };
  // A person has said that this server is down, and it is not: somebody else may lead by now.
  if (w.fence.unguarded !== undefined)
    return {
      because: "demoting_without_lease",
      detail: "nothing allows it",
      step: { kind: "kill" },
    };
  return { because: "paused" };
}

/** What keeps commits from being acknowledged is looked after all the same: that starts and stops nothing. */
function leading(w: HaWorld, lease: Lease): Verdict {
  const upkeep = leaderUpkeep(w, lease.term);
  const now = letGo(w, lease) ?? openGate(w) ?? keepSync(w, lease);
  return now === undefined
    ? { because: "paused", ...staysGuarded(w), vouch: true, upkeep }
    : { ...now, upkeep: [...(now.upkeep ?? []), ...upkeep] };
}

/** A standby leader keeps its lease and what it publishes; it has no deadline to be freed of. */
function leadingSite(w: HaWorld): Verdict | undefined {
  const lease = leads(w);
  if (lease === undefined || !isStandby(w) || !followsSite(w)) return undefined;
  return { because: "paused", vouch: true, upkeep: siteUpkeep(w, lease) };
}

/** Why the deadline stands although the cluster is paused: whoever is about to stop the agent must know. */
function staysGuarded(w: HaWorld): Pick<Verdict, "detail"> {
  if (isUnguarded(w)) return {};
  const c = clusterOf(w);
  const old = c === undefined ? undefined : whoWouldNotHeed(w, c);
  const why =
    old === undefined
      ? (w.outcomes["unguard"]?.why ?? w.outcomes["record-unguarded"]?.why ?? "not yet told")
      : `the agent of ${old} would not heed the record`;
  return { detail: `the fence stays armed: ${why}` };
}

/** A pause with an end needs nobody to resume it: the first look after that moment sees none. */
function overAt(w: HaWorld): Instant | undefined {
  const { untilMs } = w.config.pauseNote;
  return untilMs === undefined ? undefined : after(w.now, Math.max(0, untilMs - w.wallMs));
}

const earlier = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;

/** A person asked for something that this member has a part in. */
const isActing = (w: HaWorld): boolean =>
  isPartOfSwitchover(w) ||
  w.requests.restart !== undefined ||
  w.requests.reinitialise !== undefined;
