// Which WAL leads from a backup to a target, and is all of it there?
//
// Pure arithmetic over the names in a repository. The path goes along timelines as PostgreSQL does: a segment in which a
// timeline was left is read from its child, which holds all of it.
import { type Lsn, lsn } from "./lsn.ts";
import type { HistoryLine } from "./timeline.ts";

export interface WalStock {
  readonly segmentBytes: number;
  /** PostgreSQL's names of the whole segments that are there. */
  readonly segments: ReadonlySet<string>;
  readonly histories: ReadonlyMap<number, readonly HistoryLine[]>;
}

export interface WalFrom {
  readonly timeline: number;
  readonly startLsn: Lsn;
  readonly stopLsn: Lsn;
}

export interface WalWindow {
  /** The timeline on which it ends. */
  readonly timeline: number;
  /** Names of the segments in order, without a hole. */
  readonly segments: readonly string[];
  /** Behind the last byte of the last segment. */
  readonly endLsn: Lsn;
}

/**
 * The unbroken row of segments from the start of the backup, at most `most` bytes beyond it. `timeline` undefined: along
 * the newest timeline that continues the backup's. Undefined when no such timeline is known.
 */
export function windowFrom(
  stock: WalStock,
  from: WalFrom,
  options: { readonly timeline?: number | undefined; readonly upTo?: Lsn | undefined },
): WalWindow | undefined {
  const timeline = options.timeline ?? newestBeyond(stock, from);
  const path = pathTo(stock, from, timeline);
  if (path === undefined) return undefined;
  const segments: string[] = [];
  const { segmentBytes } = stock;
  let number = numberOf(from.startLsn, segmentBytes);
  // Where the last segment is an older timeline's, it leads only to where the next one left it.
  let left: Lsn | undefined;
  for (; options.upTo === undefined || startOf(number, segmentBytes) <= options.upTo; number++) {
    const found = nameOnPath(stock, path, number);
    if (found === undefined) break;
    segments.push(found.name);
    left = path[found.at - 1]?.from;
  }
  const end = startOf(number, segmentBytes);
  return {
    timeline,
    segments,
    endLsn: left !== undefined && left < end ? left : end,
  };
}

interface Leg {
  readonly timeline: number;
  readonly from: Lsn;
}

/** From the newest leg back to the backup's; undefined when the timeline does not continue it. */
function pathTo(stock: WalStock, from: WalFrom, timeline: number): readonly Leg[] | undefined {
  if (timeline === from.timeline) return [{ timeline, from: lsn(0) }];
  const history = stock.histories.get(timeline) ?? [];
  const at = history.findIndex((line) => line.timeline === from.timeline);
  const left = history[at];
  if (left === undefined || left.endLsn < from.stopLsn) return undefined;
  const legs: Leg[] = [{ timeline: from.timeline, from: lsn(0) }];
  for (const [index, line] of history.slice(at).entries()) {
    const next = history[at + index + 1]?.timeline ?? timeline;
    legs.unshift({ timeline: next, from: line.endLsn });
  }
  return legs;
}

const newestBeyond = (stock: WalStock, from: WalFrom): number =>
  [...stock.histories.keys()]
    .toSorted((a, b) => b - a)
    .find((timeline) => pathTo(stock, from, timeline) !== undefined) ?? from.timeline;

/** Of the timelines that had begun when this segment ended, the newest that has it; `at` is its place in the path. */
function nameOnPath(stock: WalStock, path: readonly Leg[], number: number) {
  const { segmentBytes } = stock;
  for (const [at, leg] of path.entries()) {
    if (leg.from >= startOf(number + 1, segmentBytes)) continue;
    const name = segmentName(leg.timeline, number, segmentBytes);
    if (stock.segments.has(name)) return { name, at };
    // A segment that lies wholly behind the fork belongs to this timeline and to no older one.
    if (leg.from <= startOf(number, segmentBytes)) return undefined;
  }
  return undefined;
}

const numberOf = (at: Lsn, segmentBytes: number): number => Number(at / BigInt(segmentBytes));
const startOf = (number: number, segmentBytes: number): Lsn =>
  lsn(BigInt(number) * BigInt(segmentBytes));

const hex = (n: number): string => n.toString(16).toUpperCase().padStart(8, "0");

/** PostgreSQL's name of a segment. */
export function segmentName(timeline: number, number: number, segmentBytes: number): string {
  const perLog = 0x1_0000_0000 / segmentBytes;
  return hex(timeline) + hex(Math.floor(number / perLog)) + hex(number % perLog);
}
