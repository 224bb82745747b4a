import { expect, test } from "vitest";
import { type Lsn, lsn, parseLsn } from "../../model/lsn.ts";
import { recordEnd, segmentName, segmentStart, skipPageHeader } from "./wal.ts";
import { scanStarts } from "./wal-files.ts";

const MB16 = 16 * 1024 * 1024;
const at = (text: string): Lsn => parseLsn(text) ?? lsn(0);

test("a record within a page ends after its length, aligned to eight", () => {
  expect(recordEnd(at("0/3000028"), 114, MB16)).toBe(at("0/30000A0"));
});

test("a record across a page boundary also counts the next page's header", () => {
  expect(recordEnd(at("0/3001FE0"), 114, MB16)).toBe(lsn(0x3002000n + 24n + 88n));
});

test("a record across a segment boundary counts the long header", () => {
  expect(recordEnd(at("0/3FFFFE0"), 114, MB16)).toBe(lsn(0x4000000n + 40n + 88n));
});

test("a record that fills its page ends at the boundary, before the next header", () => {
  expect(recordEnd(at("0/3001FE0"), 32, MB16)).toBe(at("0/3002000"));
});

test("a record over many pages counts every header", () => {
  const room = 8192 - 24;
  expect(recordEnd(lsn(0x3002000n + 24n), room * 3 + 8, MB16)).toBe(
    lsn(0x3002000n + 3n * 8192n + 24n + 8n),
  );
});

test("a position at the start of a page means the first byte after its header", () => {
  expect(skipPageHeader(at("0/3002000"), MB16)).toBe(at("0/3002018"));
  expect(skipPageHeader(at("0/4000000"), MB16)).toBe(at("0/4000028"));
  expect(skipPageHeader(at("0/4000030"), MB16)).toBe(at("0/4000030"));
});

test("segments are named by timeline and number, whatever their size", () => {
  expect(segmentName(3, at("1/2A000000"), MB16)).toBe("00000003000000010000002A");
  expect(segmentName(1, at("2/40000000"), 1024 * 1024 * 1024)).toBe("000000010000000200000001");
  expect(segmentStart(at("0/3ABCDEF"), MB16)).toBe(at("0/3000000"));
});

test("a scan begins a little before the position, else at the start of its segment", () => {
  expect(scanStarts(at("0/3800123"), MB16)).toEqual([at("0/37C0000"), at("0/3000000")]);
  expect(scanStarts(at("0/3000100"), MB16)).toEqual([at("0/3000000")]);
  expect(scanStarts(at("0/4000000"), MB16)).toEqual([at("0/3FBE000"), at("0/3000000")]);
});
