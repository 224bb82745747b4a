// Where does a WAL record end, and is there a valid one at this position?
//
// Pure arithmetic over pages of 8 kB: each page begins with a header of 24 bytes (40 on the first page of a
// segment), so the length of a record on disk is its own length plus the headers it runs across.
import { type Lsn, lsn } from "../../model/lsn.ts";
import { crc32c } from "./crc32c.ts";

export const WAL_PAGE = 8192;
const SHORT_HEADER = 24;
const LONG_HEADER = 40;
export const RECORD_HEADER = 24;
const CRC_AT = 20;
/** A record says its length in 32 bits; the server itself refuses longer ones than this. */
const LONGEST_RECORD = 1024 * 1024 * 1024;

const alignUp = (n: number): number => Math.ceil(n / 8) * 8;

const headerAt = (page: bigint, segmentSize: number): number =>
  page % BigInt(segmentSize) === 0n ? LONG_HEADER : SHORT_HEADER;

/** `at` itself, or the first byte after the page header when `at` is the start of a page. */
export function skipPageHeader(at: Lsn, segmentSize: number): Lsn {
  return at % BigInt(WAL_PAGE) === 0n ? lsn(at + BigInt(headerAt(at, segmentSize))) : at;
}

/**
 * The position after a record of `length` bytes that starts at `start`, as the server counts it: aligned to 8,
 * headers of the pages it crosses included, a full last page ends at the page boundary.
 */
export function recordEnd(start: Lsn, length: number, segmentSize: number): Lsn {
  let at: bigint = skipPageHeader(start, segmentSize);
  let left = alignUp(length);
  for (;;) {
    const room = WAL_PAGE - Number(at % BigInt(WAL_PAGE));
    if (left <= room) return lsn(at + BigInt(left));
    left -= room;
    at += BigInt(room);
    at += BigInt(headerAt(at, segmentSize));
  }
}

/** The start of the segment that holds `at`. */
export const segmentStart = (at: Lsn, segmentSize: number): Lsn =>
  lsn(at - (at % BigInt(segmentSize)));

/** The file in pg_wal that holds `at` on `timeline`. */
export function segmentName(timeline: number, at: Lsn, segmentSize: number): string {
  const hex = (n: bigint): string => n.toString(16).toUpperCase().padStart(8, "0");
  const number = at / BigInt(segmentSize);
  const perFile = 0x1_0000_0000n / BigInt(segmentSize);
  return hex(BigInt(timeline)) + hex(number / perFile) + hex(number % perFile);
}

/** Bytes of WAL at a position, or undefined where there is no file. */
export type ReadWal = (at: Lsn, length: number) => Buffer | undefined;

export interface RecordEnd {
  readonly previous: Lsn;
  readonly end: Lsn;
  readonly segmentSize: number;
}

/**
 * Is there a complete record at `end` that follows the one at `previous`? The same tests as recovery's: page
 * address, back link, length, checksum. It is the second opinion on where the WAL of a crashed server ends.
 */
export function hasRecordAfter(read: ReadWal, { previous, end, segmentSize }: RecordEnd): boolean {
  const start = skipPageHeader(end, segmentSize);
  if (!isPageOf(read, start)) return false;
  const length = read(start, 4)?.readUInt32LE(0) ?? 0;
  if (length < RECORD_HEADER || length > LONGEST_RECORD) return false;
  const bytes = readAcrossPages(read, { start, length, segmentSize });
  if (bytes === undefined || bytes.readBigUInt64LE(8) !== previous) return false;
  const body = bytes.subarray(RECORD_HEADER);
  return crc32c(body, bytes.subarray(0, CRC_AT)) === bytes.readUInt32LE(CRC_AT);
}

/** A recycled segment still holds the pages of its former position: each page says which one it is. */
function isPageOf(read: ReadWal, at: Lsn): boolean {
  const page = lsn(at - (at % BigInt(WAL_PAGE)));
  const header = read(page, SHORT_HEADER);
  return header?.readBigUInt64LE(8) === page;
}

function readAcrossPages(
  read: ReadWal,
  { start, length, segmentSize }: { start: Lsn; length: number; segmentSize: number },
): Buffer | undefined {
  const parts: Buffer[] = [];
  let at: bigint = start;
  let left = length;
  while (left > 0) {
    if (!isPageOf(read, lsn(at))) return undefined;
    const take = Math.min(left, WAL_PAGE - Number(at % BigInt(WAL_PAGE)));
    const part = read(lsn(at), take);
    if (part === undefined) return undefined;
    parts.push(part);
    left -= take;
    at += BigInt(take);
    if (left > 0) at += BigInt(headerAt(at, segmentSize));
  }
  return Buffer.concat(parts);
}
