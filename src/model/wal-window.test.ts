// Which segments lead somewhere, along timelines and up to a hole.
import { expect, test } from "vitest";
import type { StoredWal } from "./coverage.ts";
import { lsn } from "./lsn.ts";
import type { HistoryLine } from "./timeline.ts";
import { printSegment } from "./wal-name.ts";
import { segmentsIn, windowFrom } from "./wal-window.ts";

const SIZE = 16 * 1024 * 1024;
const at = (segment: number, byte = 0) => lsn(segment * SIZE + byte);
const name = (timeline: number, segment: number) =>
  printSegment({ timeline, number: segment }, SIZE);
const stockOf = (
  segments: readonly (readonly [timeline: number, segment: number])[],
  histories: Readonly<Record<number, readonly (readonly [timeline: number, end: bigint])[]>> = {},
): StoredWal => ({
  segmentSize: SIZE,
  segments: segmentsIn(
    segments.map(([timeline, segment]) => name(timeline, segment)),
    SIZE,
  ),
  partials: [],
  histories: new Map(
    Object.entries(histories).map(([timeline, lines]) => [
      Number(timeline),
      lines.map(([left, end]): HistoryLine => ({ timeline: left, endLsn: lsn(end), reason: "" })),
    ]),
  ),
});
const BACKUP = { timeline: 1, startLsn: at(2, 40), stopLsn: at(3, 500) };

test("a row ends at the first hole", () => {
  const stock = stockOf([
    [1, 1],
    [1, 2],
    [1, 3],
    [1, 5],
  ]);
  expect(windowFrom(stock, BACKUP, {})).toEqual({
    timeline: 1,
    segments: [name(1, 2), name(1, 3)],
    endLsn: at(4),
  });
});

test("the segment of a fork is read from the child, and no further on the parent", () => {
  const stock = stockOf(
    [
      [1, 2],
      [1, 3],
      [1, 4],
      [1, 5],
      [2, 4],
      [2, 5],
    ],
    { 2: [[1, at(4, 100)]] },
  );
  expect(windowFrom(stock, BACKUP, {})).toEqual({
    timeline: 2,
    segments: [name(1, 2), name(1, 3), name(2, 4), name(2, 5)],
    endLsn: at(6),
  });
  expect(windowFrom(stock, BACKUP, { timeline: 1 })?.segments).toHaveLength(4);
  const without = stockOf(
    [
      [1, 2],
      [1, 3],
      [1, 4],
      [1, 5],
    ],
    { 2: [[1, at(4, 100)]] },
  );
  expect(windowFrom(without, BACKUP, {})?.endLsn).toBe(at(4, 100));
});

test("a child without its first segment is a hole: what the parent wrote behind the fork is not its history", () => {
  const stock = stockOf(
    [
      [1, 2],
      [1, 3],
      [1, 4],
      [2, 5],
    ],
    { 2: [[1, at(4, 100)]] },
  );
  expect(windowFrom(stock, BACKUP, {})).toEqual({
    timeline: 2,
    segments: [name(1, 2), name(1, 3), name(1, 4)],
    endLsn: at(4, 100),
  });
});

test("nothing is named where nothing is there", () => {
  expect(windowFrom(stockOf([[1, 3]]), BACKUP, {})).toEqual({
    timeline: 1,
    segments: [],
    endLsn: at(2),
  });
});

test("only what leads to the target is named", () => {
  const stock = stockOf([
    [1, 2],
    [1, 3],
    [1, 4],
    [1, 5],
  ]);
  expect(windowFrom(stock, BACKUP, { upTo: at(4, 7) })?.segments.at(-1)).toBe(name(1, 4));
});

test("a timeline that left before the backup ended does not continue it", () => {
  const stock = stockOf(
    [
      [1, 2],
      [1, 3],
      [2, 3],
    ],
    { 2: [[1, at(3, 100)]] },
  );
  expect(windowFrom(stock, BACKUP, {})?.timeline).toBe(1);
  expect(windowFrom(stock, BACKUP, { timeline: 2 })).toBeUndefined();
  expect(windowFrom(stock, BACKUP, { timeline: 7 })).toBeUndefined();
});

test("two promotions in a row lead on", () => {
  const histories = {
    3: [
      [1, at(4, 100)],
      [2, at(5, 9)],
    ],
    2: [[1, at(4, 100)]],
  } as const;
  const stock = stockOf(
    [
      [1, 2],
      [1, 3],
      [2, 4],
      [3, 5],
      [3, 6],
    ],
    histories,
  );
  expect(windowFrom(stock, BACKUP, {})).toMatchObject({
    timeline: 3,
    segments: [name(1, 2), name(1, 3), name(2, 4), name(3, 5), name(3, 6)],
  });
});

test("the beginning of the segment behind the last one counts, and one behind a hole does not", () => {
  const stock = stockOf([
    [1, 2],
    [1, 3],
  ]);
  const partial = (endLsn: bigint) => ({ timeline: 1, endLsn: lsn(endLsn) });
  const begun = { ...stock, partials: [partial(at(4, 700))] };
  const whole = [name(1, 2), name(1, 3)];
  expect(windowFrom(begun, BACKUP, {})).toEqual({
    timeline: 1,
    segments: whole,
    tail: name(1, 4),
    endLsn: at(4, 700),
  });
  const upTo = (end: bigint) => windowFrom(begun, BACKUP, { upTo: lsn(end) });
  expect(upTo(at(4, 1))?.tail).toBe(name(1, 4));
  expect(upTo(at(3, 1))?.tail).toBeUndefined();
  const behind = { ...stock, partials: [partial(at(5, 700))] };
  expect(windowFrom(behind, BACKUP, {})).toEqual({ timeline: 1, segments: whole, endLsn: at(4) });
});
