// To which moments can the cluster be restored, and where is a hole in its WAL?
//
// Pure arithmetic over what lies in a repository. A restore begins at a base backup and reads segments along one path
// of timelines: of each timeline those from where it began, up to the one in which its child began, which the child
// holds as a whole. A segment that is missing on that path ends the interval: recovery would stop there, silently.
import { type Lsn, lsn, maxLsn } from "./lsn.ts";
import { joined, missingIn, type Runs, rowEnd } from "./runs.ts";
import type { HistoryLine } from "./timeline.ts";
import { segmentNumber, segmentStart } from "./wal-name.ts";

export interface StoredBackup {
  readonly id: string;
  readonly timeline: number;
  readonly startLsn: Lsn;
  /** From here on what it holds is consistent. */
  readonly stopLsn: Lsn;
}

/** The first bytes of a segment that is not whole yet, up to `endLsn`. */
export interface StoredPartial {
  readonly timeline: number;
  readonly endLsn: Lsn;
}

/** The WAL that a repository holds. */
export interface StoredWal {
  readonly segmentSize: number;
  /** Of each timeline, the numbers of its whole segments. */
  readonly segments: ReadonlyMap<number, Runs>;
  readonly partials: readonly StoredPartial[];
  readonly histories: ReadonlyMap<number, readonly HistoryLine[]>;
}

/** What a repository holds. */
export interface Stored extends StoredWal {
  readonly backups: readonly StoredBackup[];
}

/** One part of a path: this timeline from `from` to `to`, where its child begins. */
export interface Leg {
  readonly timeline: number;
  readonly from: Lsn;
  readonly to: Lsn | undefined;
}

/** Every moment between the two can be restored, on this timeline. */
export interface Interval {
  readonly timeline: number;
  readonly from: Lsn;
  readonly to: Lsn;
}

export type GapCause =
  /** The timeline ended before its last WAL was stored: who led it died, and its heir has not filled the hole. */
  | { readonly kind: "promotion"; readonly child: number; readonly fork: Lsn }
  /** The first WAL after a promotion. */
  | { readonly kind: "beginning"; readonly parent: number }
  /** WAL before and after it is there. */
  | { readonly kind: "inside" }
  /** Nobody knows which timeline this one continues. */
  | { readonly kind: "history" };

export interface Gap {
  readonly timeline: number;
  /** Numbers of the missing segments; of a missing history file, those that cannot be reached. */
  readonly first: number;
  readonly last: number;
  readonly cause: GapCause;
}

export interface Coverage {
  readonly intervals: readonly Interval[];
  /** On the way to the newest timeline alone: a branch that was given up harms nobody. */
  readonly gaps: readonly Gap[];
  /** The timeline that the gaps were looked for on. */
  readonly timeline: number | undefined;
  /** How far WAL is there without a hole, along that timeline's path. */
  readonly reach: Lsn | undefined;
}

/** The path of timelines that leads to `timeline`; undefined when its history file is missing. */
export function pathOf(stored: StoredWal, timeline: number): readonly Leg[] | undefined {
  const history = timeline === 1 ? [] : stored.histories.get(timeline);
  if (history === undefined) return undefined;
  const legs: Leg[] = [];
  let from = lsn(0);
  for (const line of history) {
    legs.push({ timeline: line.timeline, from, to: line.endLsn });
    from = line.endLsn;
  }
  return [...legs, { timeline, from, to: undefined }];
}

export function coverageOf(found: Stored): Coverage {
  const stored = withWholePartials(found);
  const timelines = timelinesIn(stored);
  const newest = timelines.at(-1);
  const intervals = timelines.flatMap((timeline) => intervalsOn(stored, timeline));
  if (newest === undefined) return { intervals, gaps: [], timeline: undefined, reach: undefined };
  const begun = beginningOf(stored, newest);
  const reach = begun === undefined ? undefined : reachFrom(stored, begun.path, begun.at);
  return { intervals, gaps: gapsTo(stored, newest), timeline: newest, reach };
}

/** A partial that has come to the end of its segment is as good as the segment. */
function withWholePartials(stored: Stored): Stored {
  const isWhole = ({ endLsn }: StoredPartial): boolean =>
    endLsn % BigInt(stored.segmentSize) === 0n;
  const segments = new Map(stored.segments);
  for (const { timeline, endLsn } of stored.partials.filter(isWhole)) {
    const number = segmentNumber(endLsn, stored.segmentSize) - 1;
    segments.set(timeline, joined(segments.get(timeline) ?? [], [[number, number]]));
  }
  return { ...stored, segments, partials: stored.partials.filter((part) => !isWhole(part)) };
}

const timelinesIn = (stored: Stored): readonly number[] =>
  [
    ...new Set([
      ...stored.segments.keys(),
      ...stored.histories.keys(),
      ...stored.partials.map(({ timeline }) => timeline),
    ]),
  ].toSorted((a, b) => a - b);

export const runsOn = ({ segments }: StoredWal, timeline: number): Runs =>
  segments.get(timeline) ?? [];

/** Of a timeline, the moments to which some backup on its path leads without a hole. */
function intervalsOn(stored: Stored, timeline: number): readonly Interval[] {
  const path = pathOf(stored, timeline) ?? [{ timeline, from: lsn(0), to: undefined }];
  const own = path.at(-1);
  const found: Interval[] = [];
  for (const backup of stored.backups) {
    if (own === undefined || !isOn(path, backup)) continue;
    const from = maxLsn(backup.stopLsn, own.from);
    const to = reachFrom(stored, path, { timeline: backup.timeline, lsn: backup.startLsn });
    if (to >= from) found.push({ timeline, from, to });
  }
  return merged(found);
}

/** Does the path lead on from where this backup is consistent? */
export const isOn = (
  path: readonly Leg[],
  { timeline, stopLsn }: Pick<StoredBackup, "timeline" | "stopLsn">,
): boolean =>
  path.some((leg) => leg.timeline === timeline && (leg.to === undefined || stopLsn <= leg.to));

function merged(intervals: readonly Interval[]): readonly Interval[] {
  const kept: Interval[] = [];
  for (const next of intervals.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
    const last = kept.at(-1);
    if (last === undefined || next.from > last.to) kept.push(next);
    else kept[kept.length - 1] = { ...last, to: maxLsn(last.to, next.to) };
  }
  return kept;
}

interface Place {
  readonly timeline: number;
  readonly lsn: Lsn;
}

/** How far recovery comes along a path when it begins to read at `at`. */
export function reachFrom(stored: StoredWal, path: readonly Leg[], at: Place): Lsn {
  const { segmentSize } = stored;
  let next = segmentNumber(at.lsn, segmentSize);
  let reached = at.lsn;
  const first = path.findIndex(({ timeline }) => timeline === at.timeline);
  for (const leg of path.slice(Math.max(0, first))) {
    const last = lastOf(leg, segmentSize);
    const end = Math.min(rowEnd(runsOn(stored, leg.timeline), next), last);
    if (end >= next) reached = maxLsn(reached, segmentStart(end + 1, segmentSize));
    next = Math.max(next, end + 1);
    const tail = tailOf(stored, leg, next);
    if (tail !== undefined) reached = maxLsn(reached, tail);
    if (next <= last) return reached;
  }
  return reached;
}

/** The last segment that is read on this timeline: the one before its child's first. */
const lastOf = ({ to }: Leg, segmentSize: number): number =>
  to === undefined ? Number.POSITIVE_INFINITY : segmentNumber(to, segmentSize) - 1;

/** What is there of the segment `number` beyond whole ones: a partial of it, or the parent's up to the fork. */
function tailOf(stored: StoredWal, { timeline, to }: Leg, number: number): Lsn | undefined {
  const { segmentSize } = stored;
  if (to !== undefined && rowEnd(runsOn(stored, timeline), number) >= number) return to;
  const ends = stored.partials
    .filter((part) => part.timeline === timeline)
    .map(({ endLsn }) => endLsn)
    .filter((end) => end > segmentStart(number, segmentSize))
    .filter((end) => end <= segmentStart(number + 1, segmentSize));
  const end = ends.reduce<Lsn | undefined>(
    (a, b) => (a === undefined ? b : maxLsn(a, b)),
    undefined,
  );
  return end === undefined || to === undefined || end <= to ? end : to;
}

/** Where the WAL on the way to `timeline` has to begin: with the oldest backup, or with what is there. */
function beginningOf(
  stored: Stored,
  timeline: number,
): { readonly path: readonly Leg[]; readonly at: Place } | undefined {
  const path = pathOf(stored, timeline) ?? [{ timeline, from: lsn(0), to: undefined }];
  const backups = stored.backups
    .filter((backup) => isOn(path, backup))
    .map((backup): Place => ({ timeline: backup.timeline, lsn: backup.startLsn }));
  const oldest = backups.toSorted((a, b) => (a.lsn < b.lsn ? -1 : 1))[0];
  if (oldest !== undefined) return { path, at: oldest };
  for (const leg of path) {
    const first = runsOn(stored, leg.timeline)[0]?.[0];
    if (first === undefined || first > lastOf(leg, stored.segmentSize)) continue;
    const at = maxLsn(leg.from, segmentStart(first, stored.segmentSize));
    return { path, at: { timeline: leg.timeline, lsn: at } };
  }
  return undefined;
}

function gapsTo(stored: Stored, timeline: number): readonly Gap[] {
  const begun = beginningOf(stored, timeline);
  if (begun === undefined) return [];
  const { path, at } = begun;
  const gaps: Gap[] = [];
  const start = path.findIndex((leg) => leg.timeline === at.timeline);
  for (const [index, leg] of path.entries()) {
    if (index < start) continue;
    const from = segmentNumber(index === start ? at.lsn : leg.from, stored.segmentSize);
    gaps.push(...gapsOn(stored, { path, index, from }));
  }
  if (timeline > 1 && stored.histories.get(timeline) === undefined)
    gaps.push({ timeline, ...ends(runsOn(stored, timeline)), cause: { kind: "history" } });
  return gaps;
}

interface Stretch {
  readonly path: readonly Leg[];
  readonly index: number;
  /** The number of the first segment that is needed here. */
  readonly from: number;
}

function gapsOn(stored: Stored, { path, index, from }: Stretch): readonly Gap[] {
  const leg = path[index];
  if (leg === undefined) return [];
  const runs = runsOn(stored, leg.timeline);
  const isOpen = leg.to === undefined;
  // Of a timeline that goes on, what comes after the last stored segment is not missing but to come.
  const last = isOpen ? (runs.at(-1)?.[1] ?? from - 1) : lastOf(leg, stored.segmentSize);
  return missingIn(runs, from, last).map(([first, end]) => {
    const child = end === last ? path[index + 1] : undefined;
    const parent =
      first === segmentNumber(leg.from, stored.segmentSize) ? path[index - 1] : undefined;
    return { timeline: leg.timeline, first, last: end, cause: causeOf(child, parent) };
  });
}

/** `child` when the hole ends where a child began, `parent` when it begins where its own timeline did. */
function causeOf(child: Leg | undefined, parent: Leg | undefined): GapCause {
  if (child !== undefined) return { kind: "promotion", child: child.timeline, fork: child.from };
  if (parent !== undefined) return { kind: "beginning", parent: parent.timeline };
  return { kind: "inside" };
}

const ends = (runs: Runs): { readonly first: number; readonly last: number } => ({
  first: runs[0]?.[0] ?? 0,
  last: runs.at(-1)?.[1] ?? 0,
});
