// What of the maintenance that runs now is worth a line in a status? Told without anybody's statements or names.
import { printSpan } from "../amounts.ts";
import type { Ms } from "../time.ts";
import { isHeldLock } from "./judgement.ts";
import { flaggedIn, type RunningFacts } from "./running.ts";

/** One that keeps clients waiting, or will as soon as somebody comes to its table. */
export interface Blocking {
  readonly what: string;
  readonly holds: string;
  readonly forMs: Ms;
  /** Sessions that wait for it, and how long the first of them has waited. */
  readonly blocked: number;
  readonly blockedMs: Ms;
  readonly instead?: string;
}

/** What is over sooner is no maintenance that anybody would look for. */
const SHORTEST_MS: Ms = 1_000;
/** Transactions wait for each other's rows all day long; this long they do not. */
const LONG_WAIT_MS: Ms = 5_000;

/** The one with most waiting first. */
export const blockingIn = (running: readonly RunningFacts[]): readonly Blocking[] =>
  flaggedIn(running)
    .filter(({ facts: { forMs, blockedMs }, judgement }) =>
      isHeldLock(judgement) ? blockedMs >= LONG_WAIT_MS : forMs >= SHORTEST_MS,
    )
    .map(({ facts: { forMs, blocked, blockedMs }, judgement: { what, holds, instead } }) => ({
      ...{ what, holds, forMs: Math.round(forMs), blocked, blockedMs: Math.round(blockedMs) },
      ...(instead === undefined ? {} : { instead }),
    }));

/** `VACUUM FULL for 12 s, 3 wait`. */
export function blockingText({ what, forMs, blocked }: Blocking): string {
  const queue = blocked === 0 ? "nobody waits yet" : `${blocked} wait${blocked === 1 ? "s" : ""}`;
  return `${what} for ${printSpan(forMs)}, ${queue}`;
}
