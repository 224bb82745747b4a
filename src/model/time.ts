// What is a moment, and how long is a while?
//
// A moment is a reading of the host's boot clock: it goes on during a suspend and no operator can set it.
// Agent and fence of one host read the same clock, so they may exchange instants; hosts never do: only
// durations cross the network (SPEC T1).

declare const instantBrand: unique symbol;

/** Milliseconds on this host's boot clock. Comparable only within one host and one boot. */
export type Instant = number & { readonly [instantBrand]: true };

/** A length of time in milliseconds. */
export type Ms = number;

/** Reads a plain number of milliseconds as an instant of this host's boot clock. */
export const instant = (ms: number): Instant => ms as Instant;

/** The instant `ms` after `at`. */
export const after = (at: Instant, ms: Ms): Instant => (at + ms) as Instant;

/** Milliseconds from `from` to `to`; negative when `to` comes first. */
export const between = (from: Instant, to: Instant): Ms => to - from;

export const seconds = (n: number): Ms => n * 1000;
