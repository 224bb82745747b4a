// How long may a promotion take (R37), and may one be under way that nobody here is waiting for?
import type { Ms } from "../../../model/time.ts";
import { type Branch, headOf } from "../../../model/timeline.ts";
import type { HaWorld } from "../world.ts";
import { clusterOf } from "./standing.ts";

const MOST_DOUBLINGS = 6;

/**
 * `primary_start_timeout`, and twice as long after each promotion of this member that was given up for it: two members
 * that always need a little longer would else take turns for ever.
 */
export const promotionLimitMs = ({ config, memory }: HaWorld): Ms =>
  config.primaryStartTimeoutMs * 2 ** Math.min(memory.slowPromotions, MOST_DOUBLINGS);

/** The timeline reserved for the promotion of this term. */
export const reservedIn = (w: HaWorld, term: number): Branch | undefined =>
  clusterOf(w)?.lineage.value.findLast((b) => b.term === term);

/** A timeline is reserved for this term, and our data is not recorded as being on it. */
export function isUnfinished(w: HaWorld, term: number): boolean {
  const reserved = reservedIn(w, term);
  const head = headOf(w.server.lineage);
  return (
    reserved !== undefined && (head?.timeline !== reserved.timeline || head.term !== reserved.term)
  );
}

/**
 * Whether the running standby may be a primary in the making: an earlier life of this agent may have asked for the
 * promotion of `term`, and until that has finished such a server looks like any standby. One that this very agent
 * started as a standby is one: of its own promotions it sees the end, or ends the server.
 */
export const mayBePromoting = (w: HaWorld, term: number): boolean =>
  isUnfinished(w, term) && w.outcomes["start-standby"]?.ok !== true;
