// Does the arithmetic of coverage say what a look at every single byte says?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coverageOf, type Leg, pathOf, type Stored, type StoredBackup } from "./coverage.ts";
import { type Lsn, lsn } from "./lsn.ts";
import { missingIn, runsOf } from "./runs.ts";
import type { HistoryLine } from "./timeline.ts";

/** Tiny segments, so that every byte can be looked at. */
const SIZE = 8;
const LONGEST = 12 * SIZE;

interface Draft {
  readonly forks: readonly { readonly parent: number; readonly at: number }[];
  readonly segments: readonly (readonly [timeline: number, number: number])[];
  readonly partials: readonly (readonly [timeline: number, end: number])[];
  readonly backups: readonly (readonly [timeline: number, start: number, length: number])[];
}

const place = fc.integer({ min: 0, max: LONGEST });
const draft: fc.Arbitrary<Draft> = fc.record({
  forks: fc.array(fc.record({ parent: fc.nat(3), at: place }), { maxLength: 4 }),
  segments: fc.array(fc.tuple(fc.nat(4), fc.nat(12)), { maxLength: 60 }),
  partials: fc.array(fc.tuple(fc.nat(4), place), { maxLength: 3 }),
  backups: fc.array(fc.tuple(fc.nat(4), place, fc.nat(12)), { minLength: 1, maxLength: 3 }),
});

/** A draft with forks in order, and with nothing before a timeline's own beginning. */
function storedOf({ forks, segments, partials, backups }: Draft): Stored {
  const histories = new Map<number, readonly HistoryLine[]>();
  const begins = new Map<number, number>([[1, 0]]);
  for (const [index, { parent, at }] of forks.entries()) {
    const mother = (parent % (index + 1)) + 1;
    const fork = Math.max(at, begins.get(mother) ?? 0);
    const line = { timeline: mother, endLsn: lsn(fork), reason: "" };
    histories.set(index + 2, [...(histories.get(mother) ?? []), line]);
    begins.set(index + 2, fork);
  }
  const count = forks.length + 1;
  const beginOf = (timeline: number): number => begins.get(timeline) ?? 0;
  const numbers = new Map<number, number[]>();
  for (const [t, n] of segments) {
    const timeline = (t % count) + 1;
    if (n >= Math.floor(beginOf(timeline) / SIZE))
      numbers.set(timeline, [...(numbers.get(timeline) ?? []), n]);
  }
  return {
    segmentSize: SIZE,
    segments: new Map([...numbers].map(([timeline, some]) => [timeline, runsOf(some)])),
    partials: partials
      .map(([t, end]) => ({ timeline: (t % count) + 1, endLsn: lsn(end) }))
      .filter(({ timeline, endLsn }) => endLsn > beginOf(timeline) && Number(endLsn) % SIZE !== 0),
    histories,
    backups: backups.map(([t, at, length], index): StoredBackup => {
      const timeline = (t % count) + 1;
      const start = Math.max(at, beginOf(timeline));
      return { id: `${index}`, timeline, startLsn: lsn(start), stopLsn: lsn(start + length) };
    }),
  };
}

const isStored = (stored: Stored, timeline: number, number: number): boolean =>
  missingIn(stored.segments.get(timeline) ?? [], number, number).length === 0;

/** Can recovery along the path read the byte at `at`? From its own timeline's file or a later one's, which copied it. */
function canRead(stored: Stored, path: readonly Leg[], at: number): boolean {
  const own = path.findIndex(({ from, to }) => from <= at && (to === undefined || at < to));
  const number = Math.floor(at / SIZE);
  return path.slice(own).some(({ timeline, from }) => {
    if (Math.floor(Number(from) / SIZE) > number) return false;
    if (isStored(stored, timeline, number)) return true;
    return stored.partials.some(
      (part) =>
        part.timeline === timeline &&
        part.endLsn > at &&
        Math.floor((Number(part.endLsn) - 1) / SIZE) === number,
    );
  });
}

const isOn = (path: readonly Leg[], { timeline, stopLsn }: StoredBackup): boolean =>
  path.some((leg) => leg.timeline === timeline && (leg.to ?? Number.MAX_SAFE_INTEGER) >= stopLsn);

function canRestore(stored: Stored, timeline: number, at: number): boolean {
  const path = pathOf(stored, timeline) ?? [];
  if (at < Number(path.at(-1)?.from ?? 0)) return false;
  return stored.backups.some((backup) => {
    if (!isOn(path, backup) || backup.stopLsn > at) return false;
    for (let byte = Number(backup.startLsn); byte < at; byte++)
      if (!canRead(stored, path, byte)) return false;
    return true;
  });
}

describe("against a twin that looks at every byte", () => {
  test("the intervals hold exactly the moments that can be restored", () => {
    fc.assert(
      fc.property(draft, (some) => {
        const stored = storedOf(some);
        const { intervals } = coverageOf(stored);
        const isIn = (timeline: number, at: number): boolean =>
          intervals.some(({ timeline: on, from, to }) => on === timeline && from <= at && at <= to);
        const wrong: string[] = [];
        for (let timeline = 1; timeline <= some.forks.length + 1; timeline++) {
          // A timeline of which nothing is there has no interval of its own to show.
          if (!isKnown(stored, timeline)) continue;
          for (let at = 0; at <= LONGEST + SIZE; at++)
            if (isIn(timeline, at) !== canRestore(stored, timeline, at))
              wrong.push(`${timeline}/${at}`);
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("the gaps are exactly the segments that are missing on the way to the newest timeline", () => {
    fc.assert(
      fc.property(draft, (some) => {
        const stored = storedOf(some);
        const { gaps, timeline } = coverageOf(stored);
        const found = gaps.flatMap(({ timeline: on, first, last }) =>
          Array.from({ length: last - first + 1 }, (_, i) => `${on}/${first + i}`),
        );
        expect(found.toSorted()).toEqual(missingOn(stored, timeline).toSorted());
      }),
      { numRuns: 300 },
    );
  });
});

const isKnown = (stored: Stored, timeline: number): boolean =>
  stored.histories.has(timeline) ||
  stored.segments.has(timeline) ||
  stored.partials.some((part) => part.timeline === timeline);

function missingOn(stored: Stored, newest: number | undefined): readonly string[] {
  if (newest === undefined) return [];
  const path = pathOf(stored, newest) ?? [];
  const numberOf = (at: Lsn): number => Math.floor(Number(at) / SIZE);
  const starts = stored.backups.filter((backup) => isOn(path, backup)).map((b) => b.startLsn);
  // Without a backup on the path it begins with what is there: the other tests look at that.
  if (starts.length === 0)
    return coverageOf(stored).gaps.flatMap((gap) =>
      Array.from(
        { length: gap.last - gap.first + 1 },
        (_, i) => `${gap.timeline}/${gap.first + i}`,
      ),
    );
  const first = numberOf(starts.reduce((a, b) => (a < b ? a : b)));
  const ends = (stored.segments.get(newest) ?? []).map(([, last]) => last);
  const last = Math.max(numberOf(path.at(-1)?.from ?? lsn(0)) - 1, ...ends);
  const missing: string[] = [];
  for (let number = first; number <= last; number++) {
    const owner = path.findLast(({ from }) => numberOf(from) <= number);
    if (owner !== undefined && !isStored(stored, owner.timeline, number))
      missing.push(`${owner.timeline}/${number}`);
  }
  return missing;
}

describe("a failover with a stalled archive", () => {
  const HISTORY = new Map([[2, [{ timeline: 1, endLsn: lsn(9 * SIZE + 3), reason: "" }]]]);
  const BACKUP = { id: "a", timeline: 1, startLsn: lsn(2 * SIZE), stopLsn: lsn(3 * SIZE) };
  const after = (segments: Stored["segments"]): Stored => ({
    segmentSize: SIZE,
    segments,
    partials: [],
    histories: HISTORY,
    backups: [BACKUP],
  });

  test("the segments that nobody archived are a gap with its cause, and the interval ends before it", () => {
    const { gaps, intervals, reach } = coverageOf(
      after(
        new Map([
          [1, [[1, 5]]],
          [2, [[9, 12]]],
        ]),
      ),
    );
    expect(gaps).toEqual([
      {
        timeline: 1,
        first: 6,
        last: 8,
        cause: { kind: "promotion", child: 2, fork: lsn(9 * SIZE + 3) },
      },
    ]);
    expect(intervals).toEqual([{ timeline: 1, from: lsn(3 * SIZE), to: lsn(6 * SIZE) }]);
    expect(reach).toBe(lsn(6 * SIZE));
  });

  test("once its heir has filled it, both timelines are one interval each and nothing is missing", () => {
    const { gaps, intervals } = coverageOf(
      after(
        new Map([
          [1, [[1, 8]]],
          [2, [[9, 12]]],
        ]),
      ),
    );
    expect(gaps).toEqual([]);
    expect(intervals).toEqual([
      { timeline: 1, from: lsn(3 * SIZE), to: lsn(9 * SIZE) },
      { timeline: 2, from: lsn(9 * SIZE + 3), to: lsn(13 * SIZE) },
    ]);
  });

  test("a partial segment that is whole counts as the segment, and half of one up to its end", () => {
    const segments: Stored["segments"] = new Map([[1, [[1, 5]]]]);
    const reachOf = (endLsn: Lsn) =>
      coverageOf({ ...after(segments), histories: new Map(), partials: [{ timeline: 1, endLsn }] })
        .reach;
    expect(reachOf(lsn(7 * SIZE))).toBe(lsn(7 * SIZE));
    expect(reachOf(lsn(6 * SIZE + 5))).toBe(lsn(6 * SIZE + 5));
    expect(reachOf(lsn(8 * SIZE + 5))).toBe(lsn(6 * SIZE));
  });

  test("a beginning, a middle and a history file that are missing are told apart", () => {
    const beginning = coverageOf(
      after(
        new Map([
          [1, [[1, 8]]],
          [2, [[10, 12]]],
        ]),
      ),
    );
    expect(beginning.gaps.map(({ cause }) => cause)).toEqual([{ kind: "beginning", parent: 1 }]);
    const inside = coverageOf(
      after(
        new Map([
          [
            1,
            [
              [1, 4],
              [6, 8],
            ],
          ],
          [2, [[9, 12]]],
        ]),
      ),
    );
    expect(inside.gaps.map(({ cause }) => cause.kind)).toEqual(["inside"]);
    const lost = coverageOf({ ...after(new Map([[2, [[9, 12]]]])), histories: new Map() });
    expect(lost.gaps.map(({ cause }) => cause.kind)).toEqual(["history"]);
  });
});
