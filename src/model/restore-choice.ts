// Which backup does a restore begin with?
import type { BackupRecord } from "./backup-record.ts";
import { printLsn } from "./lsn.ts";
import { printTarget, type RestoreTarget } from "./restore-target.ts";
import { printRfc3339 } from "./wire/rfc3339.ts";

export interface Candidate {
  readonly record: BackupRecord;
  /** Its last verification failed. */
  readonly isDamaged: boolean;
  /** Its last drill failed: taken only where no other leads to the target. */
  readonly isDoubtful?: boolean;
}

export type Choice =
  | { readonly kind: "chosen"; readonly record: BackupRecord }
  | { readonly kind: "refused"; readonly why: string };

/**
 * The newest that is consistent before the target: the least WAL to replay; one that a drill could not restore comes last. A transaction or a name says nothing about
 * when it was, so there the newest is taken, and PostgreSQL refuses if the target does not come.
 */
export function chooseBackup(candidates: readonly Candidate[], target: RestoreTarget): Choice {
  const newestFirst = candidates.toSorted((a, b) => (a.record.id < b.record.id ? 1 : -1));
  const good = newestFirst.filter(({ isDamaged }) => !isDamaged);
  const fitting = good.filter(({ record }) => whyTooYoung(record, target) === undefined);
  const found = fitting.find(({ isDoubtful }) => isDoubtful !== true) ?? fitting[0];
  if (found !== undefined) return { kind: "chosen", record: found.record };
  const oldest = good.at(-1)?.record;
  if (oldest === undefined) {
    const why =
      candidates.length === 0 ? "there is no backup" : "every backup was found to be damaged";
    return { kind: "refused", why };
  }
  return { kind: "refused", why: whyTooYoung(oldest, target) ?? "" };
}

/** Why this backup cannot lead to the target; undefined when it can, as far as it alone can tell. */
export function whyTooYoung(record: BackupRecord, target: RestoreTarget): string | undefined {
  const before = (end: string): string =>
    `${printTarget(target)} lies before the end of ${record.id} (${end}), where it is consistent at the earliest`;
  if (target.kind === "lsn" && target.lsn < record.stopLsn) return before(printLsn(record.stopLsn));
  if (target.kind === "time" && target.atMs < record.finishedAtMs) {
    return before(printRfc3339(record.finishedAtMs));
  }
  return undefined;
}
