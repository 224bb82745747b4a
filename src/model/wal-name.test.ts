// Are the names of WAL files read as PostgreSQL writes them?
import fc from "fast-check";
import { expect, test } from "vitest";
import { lsn } from "./lsn.ts";
import {
  parseWalName,
  printSegment,
  segmentNumber,
  segmentStart,
  USUAL_SEGMENT_SIZE,
} from "./wal-name.ts";

test("each kind of file that PostgreSQL archives is told apart", () => {
  expect(parseWalName("00000002000000010000000A")).toEqual({
    kind: "segment",
    timeline: 2,
    number: 256 + 10,
  });
  expect(parseWalName("00000001000000000000000A.partial")).toMatchObject({
    kind: "partial",
    number: 10,
  });
  expect(parseWalName("0000000A.history")).toEqual({ kind: "history", timeline: 10 });
  expect(parseWalName("000000010000000000000003.00000028.backup")).toEqual({
    kind: "backup-label",
  });
});

test("other names are none of them", () => {
  for (const name of [
    "",
    "RECOVERYXLOG",
    "../000000010000000000000001",
    "000000010000000000000001.gz",
    "00000001000000000000000a",
    // Larger than the number of segments in 4 GB.
    "000000010000000000000100",
    "000000000000000000000001",
  ])
    expect(parseWalName(name), name).toBeUndefined();
});

test("a name goes to a number and back, with every size of segment", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 0xffff }),
      fc.integer({ min: 0, max: 2 ** 33 }),
      fc.integer({ min: 20, max: 30 }),
      (timeline, number, power) => {
        const size = 2 ** power;
        const name = printSegment({ timeline, number }, size);
        expect(parseWalName(name, size)).toEqual({ kind: "segment", timeline, number });
      },
    ),
  );
});

test("a segment holds the bytes from its start", () => {
  const start = segmentStart(7, USUAL_SEGMENT_SIZE);
  expect(segmentNumber(start, USUAL_SEGMENT_SIZE)).toBe(7);
  expect(segmentNumber(lsn(start - 1n), USUAL_SEGMENT_SIZE)).toBe(6);
});
