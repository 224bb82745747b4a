// Nobody leads: am I the one?
import { basisOf } from "../../../model/acquire-basis.ts";
import { holdMsOf } from "../../../model/config.ts";
import { after } from "../../../model/time.ts";
import { isNamed, refusal } from "../plans/eligibility.ts";
import { judgement } from "../plans/judgement.ts";
import { permission } from "../plans/permission.ts";
import { isListed } from "../plans/roster.ts";
import { followsSite } from "../plans/site.ts";
import { clusterOf, isPrimary, sqlOf } from "../plans/standing.ts";
import { isPartOfSwitchover } from "../plans/switchover.ts";
import { standbyUpkeep } from "../plans/upkeep.ts";
import type { HaWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

const LOOK_AGAIN_MS = 250;

export function race(w: HaWorld): Verdict {
  const c = clusterOf(w);
  if (c === undefined) return { because: "store_unread_waiting" };
  if (isPrimary(w)) return { because: "demoting_without_lease", step: { kind: "kill" } };
  // Who was asked in a pause to restart or to be copied anew was not asked to lead (R30).
  if (w.config.paused && !isPartOfSwitchover(w) && !comesBack(w))
    return { because: "paused", detail: "nobody leads", upkeep: standbyUpkeep(w, undefined) };
  const may = permission(w);
  if (!may.granted) {
    return {
      because: may.because,
      ...(may.detail === undefined ? {} : { detail: may.detail }),
      wakeAt: may.wakeAt,
      upkeep: standbyUpkeep(w, undefined),
      remember: { racingSince: undefined },
    };
  }
  // Whoever cannot lead has no business with another's key: it may be a living holder's (R28).
  if (!isListed(w, w.self.name) && !w.self.tags.nofailover) return notListed(w);
  const racingSince = w.memory.racingSince ?? w.now;
  const remember = { racingSince, inherited: c.hold?.released };
  // Somebody's key, or our own in which we don't believe any more.
  const stale = c.leader;
  if (stale !== undefined && c.hold === undefined)
    return { because: "race_waiting_for_hold", wakeAt: after(w.now, LOOK_AGAIN_MS) };
  if (stale !== undefined && c.hold !== undefined) {
    return {
      because: "race_removing_stale_leader",
      detail: stale.name,
      step: { kind: "remove-stale-leader", term: stale.term, hold: c.hold },
      remember,
    };
  }
  if (sqlOf(w) === undefined)
    return { because: "race_unhealthy", detail: "the own server does not answer", remember };
  const lastTry = w.outcomes["acquire"];
  const no = refusal(w);
  if (no !== undefined) {
    return {
      because: no.because,
      detail: no.detail,
      wakeAt: after(w.now, LOOK_AGAIN_MS),
      upkeep: standbyUpkeep(w, undefined),
      remember,
    };
  }
  // An acquire whose answer was lost may still land: look again for a while before sending the next one (R12).
  const unknownSince = w.lease.acquireUnknownSince;
  const settledAt =
    unknownSince === undefined
      ? w.now
      : after(unknownSince, Math.min(1_000, holdMsOf(w.config) / 8));
  if (w.now < settledAt)
    return { because: "race_acquiring", detail: lastTry?.why ?? "", wakeAt: settledAt, remember };
  const chosen = judgement(w);
  if (w.config.asksBeforeFailover && !followsSite(w) && !isNamed(w) && !comesBack(w)) {
    const detail = `${chosen}; say understudy failover --to MEMBER`;
    const wakeAt = after(w.now, LOOK_AGAIN_MS);
    const upkeep = standbyUpkeep(w, undefined);
    return { because: "race_asking", detail, wakeAt, upkeep, remember };
  }
  const step = { kind: "acquire", basis: basisOf(c) } as const;
  return { because: "race_acquiring", detail: chosen, step, remember: { ...remember, chosen } };
}

/** The member that led last leads again: the leadership does not change hands, and nobody needs to be asked. */
const comesBack = (w: HaWorld): boolean => clusterOf(w)?.hold?.holder === w.self.name;

function notListed(w: HaWorld): Verdict {
  const listed = Object.keys(clusterOf(w)?.roster.value ?? {});
  return {
    because: "race_not_listed",
    detail: `the last leader listed ${listed.join(", ") || "nobody"}`,
    wakeAt: after(w.now, LOOK_AGAIN_MS),
    upkeep: standbyUpkeep(w, undefined),
  };
}
