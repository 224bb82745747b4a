// Do we know it, how fresh is it, and if not, why not?
import type { Instant } from "./time.ts";

/** A value that was read at `at`, or the reason why it could not be read. Unknown is never "no". */
export type Known<T> =
  | { readonly kind: "known"; readonly value: T; readonly at: Instant }
  | { readonly kind: "unknown"; readonly why: string; readonly at: Instant };

export const known = <T>(value: T, at: Instant): Known<T> => ({ kind: "known", value, at });
export const unknown = <T = never>(why: string, at: Instant): Known<T> => ({
  kind: "unknown",
  why,
  at,
});

/** The value if it is known, else undefined. Use only where unknown and absent lead to the same safe answer. */
export const valueOf = <T>(k: Known<T>): T | undefined =>
  k.kind === "known" ? k.value : undefined;
