// How long may a promotion take? (R37)
import type { Ms } from "../../../model/time.ts";
import type { HaWorld } from "../world.ts";

const MOST_DOUBLINGS = 6;

/**
 * `primary_start_timeout`, and twice as long after each promotion of this member that was given up for it: two members
 * that always need a little longer would else take turns for ever.
 */
export const promotionLimitMs = ({ config, memory }: HaWorld): Ms =>
  config.primaryStartTimeoutMs * 2 ** Math.min(memory.slowPromotions, MOST_DOUBLINGS);
