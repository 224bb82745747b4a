// How much of the error budget is spent, and how fast? Arithmetic over outages; no clock is asked here.
//
// The objective is a share of time (99.99 % unless said otherwise), so a year has 52 minutes and 34 seconds to spend.
// Planned and unplanned outages have a part of it each: a switchover that somebody chose must not hide a failure, nor the
// other way round. A month has the share of the year that it is long.
import type { Ms } from "./time.ts";
import { parseRfc3339, printRfc3339 } from "./wire/rfc3339.ts";

export interface Objective {
  /** 0.9999: the share of time in which writes are taken. */
  readonly availability: number;
  /** How much of the budget may be spent on purpose, 0 to 1. */
  readonly plannedShare: number;
}

/** 22 of 52 minutes a year are for planned work. */
export const DEFAULT_OBJECTIVE: Objective = { availability: 0.9999, plannedShare: 22 / 52 };

/** A time in which a probe could not write, in milliseconds since 1970; without an end it goes on. */
export interface Outage {
  readonly from: number;
  readonly to: number | undefined;
  readonly planned: boolean;
  /** What spent it, if an incident of that time is known. */
  readonly incident?: string;
}

export interface Window {
  readonly name: "month" | "year";
  readonly from: number;
  readonly to: number;
}

/** One part of the budget in a window, in milliseconds. What is left is negative when more was spent. */
export interface Part {
  readonly budgetMs: Ms;
  readonly spentMs: Ms;
  readonly leftMs: Ms;
}

export interface Account {
  readonly window: Window;
  readonly total: Part;
  readonly planned: Part;
  readonly unplanned: Part;
  /** How much of the window so far was measured at all; what was not is neither good nor bad. */
  readonly measuredMs: Ms;
  /** The share of the measured time in which writes were taken; undefined before anything was measured. */
  readonly availability: number | undefined;
}

/** The calendar month and year, in UTC, around a moment. */
export function windowsAround(now: number): { readonly month: Window; readonly year: Window } {
  const [year = 1970, month = 1] = printRfc3339(now).slice(0, 7).split("-").map(Number);
  const begin = (y: number, m: number): number =>
    parseRfc3339(`${String(y).padStart(4, "0")}-${String(m).padStart(2, "0")}-01T00:00:00Z`) ?? 0;
  const next = month === 12 ? begin(year + 1, 1) : begin(year, month + 1);
  return {
    month: { name: "month", from: begin(year, month), to: next },
    year: { name: "year", from: begin(year, 1), to: begin(year + 1, 1) },
  };
}

interface Measured {
  readonly outages: readonly Outage[];
  /** Times in which probes ran, without overlaps. */
  readonly measured: readonly Span[];
  readonly now: number;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

export function accountOf(
  { outages, measured, now }: Measured,
  window: Window,
  { availability, plannedShare }: Objective,
): Account {
  const budgetMs = (window.to - window.from) * (1 - availability);
  const spent = (planned: boolean): Ms =>
    lengthOf(outages.filter((o) => o.planned === planned).map((o) => clipped(o, window, now)));
  const plannedMs = spent(true);
  const unplannedMs = spent(false);
  const measuredMs = lengthOf(measured.map((span) => clipped(span, window, now)));
  const down = plannedMs + unplannedMs;
  return {
    window,
    total: partOf(budgetMs, down),
    planned: partOf(budgetMs * plannedShare, plannedMs),
    unplanned: partOf(budgetMs * (1 - plannedShare), unplannedMs),
    measuredMs,
    availability: measuredMs <= 0 ? undefined : Math.max(0, 1 - down / measuredMs),
  };
}

const partOf = (budgetMs: Ms, spentMs: Ms): Part => ({
  budgetMs,
  spentMs,
  leftMs: budgetMs - spentMs,
});

/**
 * How many times faster than allowed the budget went in the last `spanMs`: at 1 it lasts exactly as long as its window;
 * undefined before that much time was measured.
 */
export function burnRate(
  { outages, measured, now }: Measured,
  spanMs: Ms,
  { availability }: Objective,
): number | undefined {
  const span = { from: now - spanMs, to: now };
  const measuredMs = lengthOf(measured.map((one) => clipped(one, span, now)));
  if (measuredMs < spanMs / 2) return undefined;
  const down = lengthOf(outages.map((one) => clipped(one, span, now)));
  return down / measuredMs / (1 - availability);
}

function clipped(
  { from, to }: { readonly from: number; readonly to: number | undefined },
  window: Span,
  now: number,
): Span {
  const end = Math.min(to ?? now, window.to, now);
  return { from: Math.min(Math.max(from, window.from), end), to: end };
}

/** The time that the spans cover together: what two of them cover counts once. */
export function lengthOf(spans: readonly Span[]): Ms {
  let sum = 0;
  let covered = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    if (to <= covered) continue;
    sum += to - Math.max(from, covered);
    covered = to;
  }
  return sum;
}
