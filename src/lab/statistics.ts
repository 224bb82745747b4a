// What is the middle of a set of figures, and what the worst?
import type { Ms } from "../model/time.ts";
import { inSeconds } from "./report.ts";

/** NaN when there are none. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? upper)) / 2 : upper;
};

export const middleAndWorst = (figures: readonly Ms[]): string =>
  figures.length === 0
    ? "no run"
    : `${inSeconds(median(figures))} / ${inSeconds(Math.max(...figures))}`;
