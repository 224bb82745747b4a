// Under which conditions is a member's server restarted, and when?
import type { Ms } from "./time.ts";

/** All that is named must fit when it is time; what is left out always fits. */
export interface RestartFilter {
  /** A role in the words of the field's tools. */
  readonly role: string | undefined;
  /** Only a server older than this, as it was written: `15.4`. */
  readonly belowVersion: string | undefined;
  /** Only if parameters wait for a restart. */
  readonly onlyPending: boolean;
}

/** A restart for later. It belongs to the server that ran when it was asked for: another one needs it no more. */
export interface ScheduledRestart extends RestartFilter {
  /** The moment as it was written, with its zone. */
  readonly at: string;
  /** The same in wall-clock milliseconds. */
  readonly atMs: number;
  readonly timeoutMs: Ms | undefined;
  readonly serverStartedAt: string;
}

export interface RestartFacts {
  readonly role: string;
  readonly version: number | undefined;
  readonly isPending: boolean;
}

export function fitsFilter(filter: RestartFilter, { role, version, isPending }: RestartFacts) {
  const below = filter.belowVersion === undefined ? undefined : versionNumber(filter.belowVersion);
  if (filter.role !== undefined && filter.role !== role) return false;
  if (below !== undefined && (version ?? 0) >= below) return false;
  return !filter.onlyPending || isPending;
}

/** `15.4` as the server counts: 150004; undefined when it is no version of PostgreSQL. */
export function versionNumber(written: string): number | undefined {
  const match = /^(\d{2})(?:\.(\d{1,2}))?$/.exec(written);
  return match === null ? undefined : Number(match[1]) * 10_000 + Number(match[2] ?? 0);
}
