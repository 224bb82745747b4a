// How is the WAL of this node kept outside of it, and what must a person know about that?
import { printBytes, printSpan } from "./amounts.ts";
import type { Coverage, Gap } from "./coverage.ts";
import { type Lsn, printLsn } from "./lsn.ts";
import type { Ms } from "./time.ts";
import { printSegment, segmentStart } from "./wal-name.ts";

/** The name of the WAL receiver at the server it streams from. No member has it, so no commit ever waits for it. */
export const RECEIVER_NAME = "understudy_vault";

/** WAL that PostgreSQL keeps because the archive does not have it yet. */
export interface Waiting {
  readonly files: number;
  readonly bytes: number;
  /** Since when the first of them waits; undefined when none does. */
  readonly oldestMs: Ms | undefined;
}

/** The base backups of one repository. */
export interface BaseHolding {
  readonly backups: number;
  /** When the newest was begun, and when one of them was last read back and found right: wall-clock milliseconds. */
  readonly newestAtMs: number | undefined;
  readonly verifiedAtMs: number | undefined;
}

export interface ShelfState {
  readonly name: string;
  readonly required: boolean;
  /** Why it could not be looked at when last tried; undefined when it could. */
  readonly trouble: string | undefined;
  readonly coverage: Coverage | undefined;
  readonly base?: BaseHolding | undefined;
  /** How old that look is. */
  readonly ageMs: Ms | undefined;
}

export interface ReceiverState {
  /** `elsewhere`: another node receives, or nobody leads. */
  readonly kind: "streaming" | "elsewhere" | "failing";
  readonly why: string | undefined;
  readonly forMs: Ms;
  /** Up to here the WAL lies outside the node that wrote it. */
  readonly stored: Lsn | undefined;
}

export interface VaultState {
  readonly segmentSize: number;
  readonly waiting: Waiting;
  readonly budgetBytes: number;
  readonly lastArchived: string | undefined;
  /** Why the last file that was asked for is not archived; undefined when it is. */
  readonly refusal: { readonly why: string; readonly isConflict: boolean } | undefined;
  readonly receiver: ReceiverState;
  readonly shelves: readonly ShelfState[];
}

/** A file that waits for longer is worth a word: a person hears within half a minute of the trouble. */
const SLOW_ARCHIVE_MS: Ms = 15_000;
const SLOW_RECEIVER_MS: Ms = 20_000;

/** One sentence each, worst first; empty when all is well. */
export function vaultWarnings(state: VaultState): readonly string[] {
  return [
    ...(state.refusal?.isConflict === true ? [state.refusal.why] : []),
    ...state.shelves.flatMap((shelf) =>
      (shelf.coverage?.gaps ?? []).map((gap) => gapInWords(shelf.name, gap, state.segmentSize)),
    ),
    ...waitingInWords(state),
    ...state.shelves.flatMap(({ name, trouble }) =>
      trouble === undefined ? [] : [`the repository ${name} cannot be looked at: ${trouble}`],
    ),
    ...receiverInWords(state.receiver),
  ];
}

function waitingInWords({ waiting, budgetBytes, refusal }: VaultState): readonly string[] {
  const { files, bytes, oldestMs } = waiting;
  if (oldestMs === undefined) return [];
  const why = refusal === undefined ? "" : `: ${refusal.why}`;
  const kept = `${printBytes(bytes)} of WAL in ${files} files`;
  if (bytes >= budgetBytes)
    return [
      `the budget of ${printBytes(budgetBytes)} is spent: ${kept} wait for the archive, all of it is kept, and the disk fills${why}`,
    ];
  if (oldestMs < SLOW_ARCHIVE_MS) return [];
  return [`the archive is behind: ${kept} wait for it, the first for ${printSpan(oldestMs)}${why}`];
}

function receiverInWords({ kind, why, forMs }: ReceiverState): readonly string[] {
  if (kind !== "failing" || forMs < SLOW_RECEIVER_MS) return [];
  return [
    `nothing streams into the vault for ${printSpan(forMs)}: ${why ?? "the receiver does not start"}`,
  ];
}

/** Where the hole is, what made it, and what closes it. */
export function gapInWords(repository: string, gap: Gap, segmentSize: number): string {
  const { timeline, first, last } = gap;
  const name = (number: number): string => printSegment({ timeline, number }, segmentSize);
  const files = first === last ? name(first) : `${name(first)} to ${name(last)}`;
  const from = printLsn(segmentStart(first, segmentSize));
  const to = printLsn(segmentStart(last + 1, segmentSize));
  if (gap.cause.kind === "history")
    return `${repository} has no history file of timeline ${timeline}: nothing on it can be restored`;
  return `${repository} has a hole on timeline ${timeline} from ${from} to ${to} (${files}): ${causeInWords(gap)}; no restore goes beyond it, unless from a later base backup`;
}

function causeInWords({ cause }: Gap): string {
  switch (cause.kind) {
    case "promotion":
      return `it was not archived before the promotion to timeline ${cause.child} at ${printLsn(cause.fork)}`;
    case "beginning":
      return `the first WAL after the promotion from timeline ${cause.parent} is missing`;
    case "inside":
      return "what is before and after it is there";
    case "history":
      return "nobody knows which timeline it continues";
    default:
      return cause satisfies never;
  }
}
