// Do pieces of a segment make what they were cut from, whoever has cut them?
import fc from "fast-check";
import { expect, test } from "vitest";
import { lsn } from "./lsn.ts";
import { USUAL_SEGMENT_SIZE } from "./wal-name.ts";
import { parseTailKey, partialsOf, tailKey, unbroken } from "./wal-tail.ts";

const SEGMENT = "000000010000000000000007";

test("a piece's key says what it is, however it is packed", () => {
  const piece = { segment: SEGMENT, from: 0x2000, to: 0x2f10 };
  for (const encrypted of [false, true])
    for (const compression of ["zstd", "gzip", "none"] as const)
      expect(parseTailKey(tailKey(piece, { compression, encrypted }))).toEqual(piece);
  expect(parseTailKey(`tail/${SEGMENT}/00000010-00000010`)).toBeUndefined();
  expect(parseTailKey(`wal/00000001/${SEGMENT}.zst`)).toBeUndefined();
});

test("an unbroken beginning holds exactly the bytes before the first that is in no piece", () => {
  const pieces = fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 8 })), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, (cut) => {
      const all = cut.map(([from, length]) => ({ segment: SEGMENT, from, to: from + length }));
      let end = 0;
      while (all.some(({ from, to }) => from <= end && end < to)) end += 1;
      const row = unbroken(all);
      expect(row.at(-1)?.to ?? 0).toBe(end);
      const covered = Array.from({ length: end }, (_, at) =>
        row.some(({ from, to }) => from <= at && at < to),
      );
      expect(covered).not.toContain(false);
    }),
  );
});

test("what is there of a segment is a position in the WAL", () => {
  const pieces = [
    { segment: SEGMENT, from: 0, to: 0x100 },
    { segment: SEGMENT, from: 0x100, to: 0x250 },
    { segment: SEGMENT, from: 0x300, to: 0x400 },
  ];
  expect(partialsOf(pieces, USUAL_SEGMENT_SIZE)).toEqual([{ timeline: 1, endLsn: lsn(0x7000250) }]);
});
