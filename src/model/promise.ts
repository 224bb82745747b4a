// What does a member promise to a primary that cannot reach the store? (R27)
//
// Durations cross the wire (R29). The instants stay on the host that gave its word.
import { rivalMayActAt } from "./lease.ts";
import type { Instant, Ms } from "./time.ts";

/** "Do not race for this long: I lead in this term." */
export interface PromiseAsked {
  readonly grantee: string;
  readonly term: number;
  readonly durationMs: Ms;
}

/** A promise as it lies beside the data. */
export interface GivenPromise extends PromiseAsked {
  readonly writtenAt: Instant;
  readonly until: Instant;
}

/** Only `promised` counts. A refusal and silence are told apart for people. */
export type PromiseAnswer =
  | { readonly kind: "promised" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };

/** The promise as it is written down at `now`: as long as any rival waits, and never shorter than one before it. */
export function promiseGiven(
  asked: PromiseAsked,
  before: GivenPromise | undefined,
  now: Instant,
): GivenPromise {
  const until = rivalMayActAt(now, asked.durationMs);
  const longest = before !== undefined && before.until > until ? before.until : until;
  return { ...asked, writtenAt: now, until: longest };
}

/**
 * Until when a promise binds that an agent finds at its start. A clock that stands before the moment of writing began
 * anew with another boot: then the whole duration counts from the start. A clock that does not has run for at least
 * as long as the host has been up since, so `until` is at most too late, whichever boot wrote it.
 */
export const boundUntil = (found: GivenPromise, startedAt: Instant): Instant =>
  found.writtenAt > startedAt ? rivalMayActAt(startedAt, found.durationMs) : found.until;
