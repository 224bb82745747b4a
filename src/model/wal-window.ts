// Which segments does a restore need to come from a backup to its target, and how far do they lead?
//
// How far is coverage's arithmetic, so that a restore never believes in a row that coverage calls broken.
import { isOn, type Leg, pathOf, reachFrom, runsOn, type StoredWal } from "./coverage.ts";
import { type Lsn, lsn } from "./lsn.ts";
import { type Runs, rowEnd, runsOf } from "./runs.ts";
import { parseWalName, printSegment, segmentNumber, segmentStart } from "./wal-name.ts";

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
  /** The segment behind them, of which only the beginning is there; absent when nothing is. */
  readonly tail?: string;
  /** How far they lead: behind the last one, to the end of the tail, or to where its timeline was left. */
  readonly endLsn: Lsn;
}

/** All that must be laid down, in order. */
export const filesOf = ({ segments, tail }: WalWindow): readonly string[] =>
  tail === undefined ? segments : [...segments, tail];

/**
 * The unbroken row of segments from the start of the backup, up to the one that holds `upTo`. `timeline` undefined: along
 * the newest timeline that continues the backup's. Undefined when no such timeline is known.
 */
export function windowFrom(
  stored: StoredWal,
  from: WalFrom,
  options: { readonly timeline?: number | undefined; readonly upTo?: Lsn | undefined },
): WalWindow | undefined {
  const timeline = options.timeline ?? newestBeyond(stored, from);
  const path = pathBeyond(stored, from, timeline);
  if (path === undefined) return undefined;
  const { segmentSize } = stored;
  const reach = reachFrom(stored, path, { timeline: from.timeline, lsn: from.startLsn });
  const startOf = (number: number): Lsn => segmentStart(number, segmentSize);
  const isWanted = (number: number): boolean =>
    startOf(number) < reach && (options.upTo === undefined || startOf(number) <= options.upTo);
  const segments: string[] = [];
  let next = segmentNumber(from.startLsn, segmentSize);
  for (; isWanted(next); next++) {
    const name = nameOnPath(stored, path, next);
    if (name === undefined) break;
    segments.push(name);
  }
  const tail = isWanted(next) ? tailOnPath(stored, path, next) : undefined;
  if (tail !== undefined) return { timeline, segments, tail, endLsn: reach };
  const end = startOf(next);
  return { timeline, segments, endLsn: reach < end ? reach : end };
}

/** Of PostgreSQL's names, the whole segments: by timeline, as numbers. */
export function segmentsIn(
  names: Iterable<string>,
  segmentSize: number,
): ReadonlyMap<number, Runs> {
  const numbers = new Map<number, number[]>();
  for (const name of names) {
    const parsed = parseWalName(name, segmentSize);
    if (parsed?.kind !== "segment") continue;
    const known = numbers.get(parsed.timeline);
    if (known === undefined) numbers.set(parsed.timeline, [parsed.number]);
    else known.push(parsed.number);
  }
  return new Map([...numbers].map(([timeline, some]) => [timeline, runsOf(some)]));
}

/** The path to `timeline`; undefined when that one does not continue the backup. */
function pathBeyond(
  stored: StoredWal,
  from: WalFrom,
  timeline: number,
): readonly Leg[] | undefined {
  // A backup's own timeline needs no history: its WAL begins where the backup does.
  if (timeline === from.timeline) return [{ timeline, from: lsn(0), to: undefined }];
  const path = pathOf(stored, timeline);
  return path !== undefined && isOn(path, from) ? path : undefined;
}

const newestBeyond = (stored: StoredWal, from: WalFrom): number =>
  [...stored.histories.keys()]
    .toSorted((a, b) => b - a)
    .find((timeline) => pathBeyond(stored, from, timeline) !== undefined) ?? from.timeline;

/** Of the timelines that had begun when this segment ended, the newest that has it: that is the one recovery reads. */
function nameOnPath(stored: StoredWal, path: readonly Leg[], number: number) {
  const { segmentSize } = stored;
  const leg = path.findLast(
    ({ timeline, from }) =>
      from < segmentStart(number + 1, segmentSize) &&
      rowEnd(runsOn(stored, timeline), number) >= number,
  );
  return leg && printSegment({ timeline: leg.timeline, number }, segmentSize);
}

/** The beginning of that segment, of the newest timeline that had begun by then and has it. */
function tailOnPath(stored: StoredWal, path: readonly Leg[], number: number): string | undefined {
  const { segmentSize, partials } = stored;
  const [start, end] = [segmentStart(number, segmentSize), segmentStart(number + 1, segmentSize)];
  const leg = path.findLast(
    ({ timeline, from }) =>
      from < end &&
      partials.some((part) => {
        return part.timeline === timeline && part.endLsn > start && part.endLsn <= end;
      }),
  );
  return leg && printSegment({ timeline: leg.timeline, number }, segmentSize);
}
