// When was a position of the WAL written? A short memory of where the end was at which moment.
//
// So lag in time is the age of the first byte that is missing, on one host's clock alone: an idle primary is never
// behind itself, and no two clocks are compared.
import type { Lsn } from "../lsn.ts";
import { between, type Instant, type Ms } from "../time.ts";

interface Point {
  readonly at: Instant;
  readonly lsn: Lsn;
}

/** Oldest first; times and positions only grow. */
export type WalClock = readonly Point[];

const MOST_POINTS = 512;

/** With the end as it is now. A history that went back (a rewind) begins anew. */
export function tick(clock: WalClock, at: Instant, lsn: Lsn): WalClock {
  const last = clock.at(-1);
  if (last === undefined || lsn < last.lsn) return [{ at, lsn }];
  // An end that stands still needs two points: since when, and until when.
  const before = clock.at(-2);
  const isStill = last.lsn === lsn && before?.lsn === lsn;
  return thinned([...(isStill ? clock.slice(0, -1) : clock), { at, lsn }]);
}

/** When it is full every second point of its older half goes: what is long ago is known less exactly. */
function thinned(clock: WalClock): WalClock {
  if (clock.length <= MOST_POINTS) return clock;
  const half = clock.length / 2;
  return clock.filter((_, index) => index === 0 || index >= half || index % 2 === 1);
}

export interface Age {
  readonly ms: Ms;
  /** The position is older than the memory. */
  readonly atLeast: boolean;
}

/**
 * How long the first byte after `position` has been there: 0 when there is none. Between two points nobody knows, and
 * `told`, what the server measured itself, decides within that room; without it the shorter time is told, so that
 * no alarm comes from our own ignorance.
 */
export function ageOf(
  clock: WalClock,
  position: Lsn,
  moment: { now: Instant; told?: Ms | undefined },
): Age {
  const index = clock.findIndex(({ lsn }) => lsn > position);
  const beyond = clock[index];
  if (beyond === undefined) return { ms: 0, atLeast: false };
  const shortest = Math.max(0, between(beyond.at, moment.now));
  const before = clock[index - 1];
  if (before === undefined) return { ms: Math.max(shortest, moment.told ?? 0), atLeast: true };
  const longest = between(before.at, moment.now);
  const ms = Math.min(longest, Math.max(shortest, moment.told ?? 0));
  return { ms, atLeast: false };
}

/** How long the end has not moved. */
export function stillFor(clock: WalClock, now: Instant): Ms {
  const last = clock.at(-1);
  const since = clock.find(({ lsn }) => lsn === last?.lsn);
  return since === undefined ? 0 : Math.max(0, between(since.at, now));
}

/** Bytes a second over the last `overMs`, or over all that is remembered; undefined while that is one moment. */
export function rateOf(clock: WalClock, overMs: Ms): number | undefined {
  const [oldest] = clock;
  const last = clock.at(-1);
  if (oldest === undefined || last === undefined || oldest.at === last.at) return undefined;
  const from = Math.max(oldest.at, last.at - overMs);
  return ((Number(last.lsn) - endAt(clock, from)) * 1000) / (last.at - from);
}

/** Where the end was at a moment within the memory, on a straight line between the points around it. */
function endAt(clock: WalClock, moment: number): number {
  const index = clock.findIndex(({ at }) => at >= moment);
  const beyond = clock[index];
  const before = clock[index - 1] ?? beyond;
  if (beyond === undefined || before === undefined) return 0;
  if (beyond.at === before.at) return Number(beyond.lsn);
  const part = (moment - before.at) / (beyond.at - before.at);
  return Number(before.lsn) + Number(beyond.lsn - before.lsn) * part;
}
