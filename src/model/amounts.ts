// How do amounts look to people? Always with a unit, never an empty text.
import type { Ms } from "./time.ts";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** `0 B`, `16 kB`, `1.2 GB`: powers of 1024, at most three digits. */
export function printBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && amount < 10 ? 1 : 0;
  return `${amount.toFixed(digits)} ${UNITS[unit]}`;
}

/** `0.8 s`, `12 s`, `3m 20s`, `4h 5m`, `12d 4h`: at most two units. */
export function printSpan(ms: Ms): string {
  if (ms < 0) return "0 s";
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}
