// How long may the route room wait, and how often may it pause clients on a mere suspicion?
import type { Ms } from "../../model/time.ts";

/** One write to the store; the loop looks again afterwards in any case. */
export const WRITE_LIMIT_MS: Ms = 1_500;
/** One look at the store. */
export const READ_LIMIT_MS: Ms = 2_000;
/** A leader that is asked whether it takes writes answers from a look at its server. */
export const ASK_LIMIT_MS: Ms = 500;
/** How often a new leader is asked again while clients wait, and how often when none do. */
export const ASK_AGAIN_MS: Ms = 30;
export const ASK_CALMLY_MS: Ms = 500;
/** A pause on suspicion waits for nobody's transaction: its server is gone, or it is a false alarm. */
export const SUSPICION_DRAIN_MS: Ms = 50;
/** The leader is still there after this long: it was a false alarm, or nobody will take over soon. */
export const SUSPICION_MS: Ms = 2_000;
/** Clients who have waited for so long in false alarms of so long a time are not paused for another. */
export const MOST_WAITED_MS: Ms = 6_000;
export const ALARMS_WITHIN_MS: Ms = 60_000;
/** What an answer to the leader needs on top of the drain budget: looks, writes, the pooler's own word. */
export const ANSWER_SLACK_MS: Ms = 2_000;
/** A step that failed is tried again after this: soon while clients wait. */
export const RETRY_MS: Ms = 300;
export const RETRY_CALMLY_MS: Ms = 2_000;
