// What does a vault worker say of itself, and `GET /understudy/backup/coverage` of it? Fields are only ever added.
import type { Coverage, Gap } from "../coverage.ts";
import { printLsn } from "../lsn.ts";
import { type BaseHolding, gapInWords, type VaultState, vaultWarnings } from "../vault-state.ts";
import { printSegment, segmentStart } from "../wal-name.ts";

/** Positions are PostgreSQL's text, spans whole milliseconds, sizes bytes. */
export interface VaultJson {
  readonly warnings: readonly string[];
  readonly waiting: { readonly files: number; readonly bytes: number; readonly oldestMs?: number };
  readonly budgetBytes: number;
  readonly lastArchived?: string;
  readonly refusal?: string;
  readonly receiver: {
    /** streaming, elsewhere or failing. */
    readonly state: string;
    readonly why?: string;
    readonly forMs: number;
    /** Up to here WAL is in every required repository, the beginning of a segment included. */
    readonly stored?: string;
  };
  readonly repositories: readonly ShelfJson[];
}

export interface ShelfJson {
  readonly name: string;
  readonly required: boolean;
  readonly trouble?: string;
  /** How old the look is that all below comes from; absent before the first one. */
  readonly ageMs?: number;
  readonly timeline?: number;
  /** How far WAL is there without a hole, towards that timeline. */
  readonly reach?: string;
  /** Every moment of each can be restored. */
  readonly intervals: readonly {
    readonly timeline: number;
    readonly from: string;
    readonly to: string;
  }[];
  readonly gaps: readonly GapJson[];
  /** Its base backups: how many; when the newest was begun, and when one was last read back, in milliseconds since 1970. */
  readonly base?: {
    readonly backups: number;
    readonly newestAtMs?: number;
    readonly verifiedAtMs?: number;
  };
}

export interface GapJson {
  readonly timeline: number;
  readonly from: string;
  readonly to: string;
  readonly firstFile: string;
  readonly lastFile: string;
  readonly files: number;
  /** promotion, beginning, inside or history. */
  readonly cause: string;
  readonly sentence: string;
}

export function printVault(state: VaultState): VaultJson {
  const { files, bytes, oldestMs } = state.waiting;
  const { kind, why, forMs, stored } = state.receiver;
  return {
    warnings: vaultWarnings(state),
    waiting: {
      files,
      bytes,
      ...(oldestMs === undefined ? {} : { oldestMs: Math.round(oldestMs) }),
    },
    budgetBytes: state.budgetBytes,
    ...(state.lastArchived === undefined ? {} : { lastArchived: state.lastArchived }),
    ...(state.refusal === undefined ? {} : { refusal: state.refusal.why }),
    receiver: {
      state: kind,
      ...(why === undefined ? {} : { why }),
      forMs: Math.round(forMs),
      ...(stored === undefined ? {} : { stored: printLsn(stored) }),
    },
    repositories: state.shelves.map(({ name, required, trouble, coverage, base, ageMs }) => ({
      name,
      required,
      ...(trouble === undefined ? {} : { trouble }),
      ...(ageMs === undefined ? {} : { ageMs: Math.round(ageMs) }),
      ...coveragePart(name, coverage, state.segmentSize),
      ...(base === undefined ? {} : { base: basePart(base) }),
    })),
  };
}

const basePart = ({ backups, newestAtMs, verifiedAtMs }: BaseHolding) => ({
  backups,
  ...(newestAtMs === undefined ? {} : { newestAtMs }),
  ...(verifiedAtMs === undefined ? {} : { verifiedAtMs }),
});

function coveragePart(
  name: string,
  coverage: Coverage | undefined,
  segmentSize: number,
): Pick<ShelfJson, "timeline" | "reach" | "intervals" | "gaps"> {
  if (coverage === undefined) return { intervals: [], gaps: [] };
  const { timeline, reach, intervals, gaps } = coverage;
  return {
    ...(timeline === undefined ? {} : { timeline }),
    ...(reach === undefined ? {} : { reach: printLsn(reach) }),
    intervals: intervals.map(({ timeline: on, from, to }) => ({
      timeline: on,
      from: printLsn(from),
      to: printLsn(to),
    })),
    gaps: gaps.map((gap) => gapPart(name, gap, segmentSize)),
  };
}

function gapPart(name: string, gap: Gap, segmentSize: number): GapJson {
  const { timeline, first, last, cause } = gap;
  return {
    timeline,
    from: printLsn(segmentStart(first, segmentSize)),
    to: printLsn(segmentStart(last + 1, segmentSize)),
    firstFile: printSegment({ timeline, number: first }, segmentSize),
    lastFile: printSegment({ timeline, number: last }, segmentSize),
    files: last - first + 1,
    cause: cause.kind,
    sentence: gapInWords(name, gap, segmentSize),
  };
}
