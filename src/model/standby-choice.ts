// Which backup can become a standby of a leader, and along which of the leader's branches does WAL lead on from it?
import type { BackupRecord } from "./backup-record.ts";
import type { StoredWal } from "./coverage.ts";
import { type Lsn, lsn } from "./lsn.ts";
import type { Choice } from "./restore-choice.ts";
import type { HistoryLine, Lineage } from "./timeline.ts";
import { segmentNumber, segmentStart } from "./wal-name.ts";
import { type WalWindow, windowFrom } from "./wal-window.ts";

export interface StandbyCandidate {
  readonly record: BackupRecord;
  /** How it went the last time that it was read back, and restored by a drill; undefined: never. */
  readonly verified: "passed" | "failed" | undefined;
  readonly drilled: "passed" | "failed" | undefined;
}

/** The newest that was read back or restored well, and ends before the leader's history left its timeline. */
export function chooseForStandby(
  newestFirst: readonly StandbyCandidate[],
  lineage: Lineage,
): Choice {
  const refused = (why: string): Choice => ({ kind: "refused", why });
  if (newestFirst.length === 0) return refused("it holds no backup");
  const proven = newestFirst.filter(isProven);
  if (proven.length === 0) return refused("no backup there is proven: understudy backup verify");
  const fitting = proven.filter(({ record }) => isLedOn(record, lineage));
  if (fitting.length === 0) return refused("no proven backup lies on the leader's history");
  // Where they would go is the original's business, and may be taken.
  const plain = fitting.find(({ record }) => record.tablespaces.length === 0);
  if (plain === undefined)
    return refused("its backups have tablespaces, which this way cannot copy");
  return { kind: "chosen", record: plain.record };
}

const isProven = ({ verified, drilled }: StandbyCandidate): boolean =>
  verified !== "failed" && drilled !== "failed" && (verified ?? drilled) === "passed";

export const branchOf = (lineage: Lineage, timeline: number): number =>
  lineage.findIndex((branch) => branch.timeline === timeline);

function isLedOn({ timeline, stopLsn }: BackupRecord, lineage: Lineage): boolean {
  const at = branchOf(lineage, timeline);
  const next = lineage[at + 1];
  return at >= 0 && (next === undefined || stopLsn <= next.forkLsn);
}

export interface StandbyWay {
  /** To which the data comes. */
  readonly timeline: number;
  /** Undefined: it needs none but what the backup has itself. */
  readonly window: WalWindow | undefined;
}

/**
 * The WAL that leads furthest, and the timeline that it comes to. A branch counts where the archive's history of it is
 * the leader's and its WAL is there beyond the fork. Where the leader has left that branch again, no segment may hold
 * what came behind: that is another history, and PostgreSQL would replay it. Undefined: no branch fits yet.
 */
export function wayForStandby(
  stored: StoredWal,
  record: BackupRecord,
  lineage: Lineage,
): StandbyWay | undefined {
  const own = branchOf(lineage, record.timeline);
  for (let at = lineage.length - 1; at >= own; at--) {
    const branch = lineage[at];
    const next = lineage[at + 1];
    if (branch === undefined || (at > own && !isSameHistory(stored, lineage.slice(0, at + 1))))
      continue;
    if (next !== undefined && endOfSegment(record) > next.forkLsn) continue;
    const { timeline } = branch;
    const upTo = next && lsn(next.forkLsn - BigInt(stored.segmentSize));
    const hasRoom = upTo === undefined || upTo >= record.startLsn;
    const window = hasRoom ? windowFrom(stored, record, { timeline, upTo }) : undefined;
    if (at === own || (window !== undefined && window.endLsn > branch.forkLsn))
      return { timeline, window };
  }
  return undefined;
}

/** The backup's own WAL is whole segments: what lies behind its end may have been written as well. */
const endOfSegment = ({ stopLsn, segmentBytes }: BackupRecord): Lsn =>
  segmentStart(segmentNumber(lsn(stopLsn - 1n), segmentBytes) + 1, segmentBytes);

function isSameHistory({ histories }: StoredWal, path: Lineage): boolean {
  const lines = histories.get(path.at(-1)?.timeline ?? 0) ?? [];
  const isAt = ({ timeline, endLsn }: HistoryLine, at: number): boolean =>
    path[at]?.timeline === timeline && path[at + 1]?.forkLsn === endLsn;
  return lines.length === path.length - 1 && lines.every(isAt);
}
