// What was decided lately, in which world? The flight recorder: changed decisions only, the last thousand.

import type { AnyReason } from "../model/reason.ts";
import type { Instant } from "../model/time.ts";

export interface JournalEntry<W> {
  readonly at: Instant;
  readonly wallMs: number;
  readonly because: AnyReason;
  readonly detail: string | undefined;
  readonly step: string | undefined;
  /** How that step failed when it was tried last; undefined when it did not. */
  readonly failedBy?: string | undefined;
  readonly world: W;
}

export interface Journal<W> {
  /**
   * Keeps the entry if reason or step differ from the last one; answers whether it did. A step is kept each time, until it
   * fails again as it failed before: a store without space refuses several times a second.
   */
  record(entry: JournalEntry<W>): boolean;
  entries(): readonly JournalEntry<W>[];
}

const MOST_ENTRIES = 1_000;

export function createJournal<W>(): Journal<W> {
  const kept: JournalEntry<W>[] = [];
  return {
    record(entry) {
      const last = kept.at(-1);
      const isSame = last?.because === entry.because && last.step === entry.step;
      const failsOn = entry.failedBy !== undefined && entry.failedBy === last?.failedBy;
      if (isSame && (entry.step === undefined || failsOn)) return false;
      kept.push(entry);
      if (kept.length > MOST_ENTRIES) kept.shift();
      return true;
    },
    entries: () => kept,
  };
}
