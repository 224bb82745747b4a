// Did a long swarm reach every reason of the ha room, or is it known why not?
//
// A rule that no schedule reaches is not tested by the swarm, however many seeds it plays.
import { REASONS, type Reason } from "../model/reason.ts";

/** From so many schedules on, every reason is expected. */
export const LONG_SWARM = 1_000;

export interface Elsewhere {
  /** Why no storm can be expected to reach it. */
  readonly why: string;
  /** The scenario that reaches it instead; without one only a world made by hand does (`decide.test.ts`). */
  readonly story?: string;
}

const NO_OTHER_SITE = "no storm has another site in its configuration unless it is asked for";

/** Reasons that a long swarm may miss. An entry that a verb or a weight could replace does not belong here. */
export const ELSEWHERE: Partial<Record<Reason, Elsewhere>> = {
  race_peer_is_primary: {
    why: "a second line of defence: whoever may race has outwaited every fence; seen once in some hundred storms",
  },
  follow_demoting: {
    why: "a second line of defence: a fence has ended that primary before another leads; seen once in some hundred storms",
  },
  lead_arming: {
    why: "a second line of defence: a fence that lives has armed the lease that was just won, or the look finds it dead",
  },
  lead_wrong_timeline: {
    why: "a second line of defence: a promotion that took another number ends its server before anybody can look",
  },
  race_asking: {
    why: "with `failover: ask` nobody takes over unasked, and no storm could be followed by a liveness phase",
    story: "failover-asks",
  },
  site_following: { why: NO_OTHER_SITE, story: "site-leader-dies" },
  site_parting: { why: NO_OTHER_SITE, story: "site-promoted" },
  site_demoting: { why: NO_OTHER_SITE, story: "site-demoted" },
  site_unreachable: { why: NO_OTHER_SITE, story: "site-away" },
  site_foreign: { why: NO_OTHER_SITE, story: "site-not-usable" },
  site_slot_missing: { why: NO_OTHER_SITE, story: "site-not-usable" },
  race_no_watchdog: {
    why: "few storms have a watchdog that must be there, fewer lose it in a race",
    story: "required-watchdog-fails",
  },
};

/** Reasons that these schedules should have reached and did not; none is expected of a short swarm. */
export function missed(reached: ReadonlySet<string>, schedules: number): readonly Reason[] {
  if (schedules < LONG_SWARM) return [];
  const all = Object.keys(REASONS) as Reason[];
  return all.filter((reason) => !reached.has(reason) && ELSEWHERE[reason] === undefined);
}

/** One line what, one line why, one line what next. */
export const complaint = (reasons: readonly Reason[], schedules: number): string =>
  [
    `${schedules} schedules never gave these reasons: ${reasons.join(" ")}`,
    "a rule that no schedule reaches is not tested by the swarm",
    "add or weight a verb in src/sim/swarm.ts, or declare in src/sim/reached.ts why a story must reach it",
  ].join("\n");
