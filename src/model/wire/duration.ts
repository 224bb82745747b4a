// How many milliseconds does a written duration mean?
import type { Ms } from "../time.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Reads a number of seconds, or PostgreSQL's way to write time: `30min`, `500ms`, `90`. */
export function parseDuration(value: unknown): Ms | undefined {
  if (typeof value === "number") return fromUnits(value, 1000);
  if (typeof value !== "string") return undefined;
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?\s*$/.exec(value);
  return match === null ? undefined : fromUnits(Number(match[1]), UNIT_MS[match[2] ?? "s"] ?? 1000);
}

function fromUnits(count: number, unitMs: number): Ms | undefined {
  return Number.isFinite(count) && count >= 0 ? Math.round(count * unitMs) : undefined;
}

/** Seconds for people and for the store: `10 s`, `2.5 s`. */
export const printSeconds = (ms: Ms): string => `${ms / 1000} s`;
