// Which segments lead somewhere, along timelines and up to a hole.
import { expect, test } from "vitest";
import { lsn } from "./lsn.ts";
import type { HistoryLine } from "./timeline.ts";
import { segmentName, type WalStock, windowFrom } from "./wal-window.ts";

const SIZE = 16 * 1024 * 1024;
const at = (segment: number, byte = 0) => lsn(segment * SIZE + byte);
const name = (timeline: number, segment: number) => segmentName(timeline, segment, SIZE);
const stockOf = (
  segments: readonly (readonly [timeline: number, segment: number])[],
  histories: Readonly<Record<number, readonly (readonly [timeline: number, end: bigint])[]>> = {},
): WalStock => ({
  segmentBytes: SIZE,
  segments: new Set(segments.map(([timeline, segment]) => name(timeline, segment))),
  histories: new Map(
    Object.entries(histories).map(([timeline, lines]) => [
      Number(timeline),
      lines.map(([left, end]): HistoryLine => ({ timeline: left, endLsn: lsn(end), reason: "" })),
    ]),
  ),
});
const BACKUP = { timeline: 1, startLsn: at(2, 40), stopLsn: at(3, 500) };

test("segments have PostgreSQL's names", () => {
  expect(name(1, 2)).toBe("000000010000000000000002");
  expect(name(10, 256)).toBe("0000000A0000000100000000");
});

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
