// Which part of the history does a file of the write-ahead log hold? PostgreSQL says it in the name.
import { type Lsn, lsn } from "./lsn.ts";

/** PostgreSQL's usual size of a WAL segment in bytes; initdb may have chosen another. */
export const USUAL_SEGMENT_SIZE = 16 * 1024 * 1024;

/** A segment's number counts from the start of the WAL, whatever the timeline. */
export interface SegmentId {
  readonly timeline: number;
  readonly number: number;
}

export type WalName =
  | ({ readonly kind: "segment" } & SegmentId)
  /** The last segment of a timeline that ended inside it, as its heir has renamed it. */
  | ({ readonly kind: "partial" } & SegmentId)
  | { readonly kind: "history"; readonly timeline: number }
  /** What a base backup leaves in the archive: for people only. */
  | { readonly kind: "backup-label" };

const hex = (n: number): string => n.toString(16).toUpperCase().padStart(8, "0");

const perLog = (segmentSize: number): number => 0x1_0000_0000 / segmentSize;

/** Parses the name of a file that PostgreSQL archives; undefined when it is none. */
export function parseWalName(name: string, segmentSize = USUAL_SEGMENT_SIZE): WalName | undefined {
  const history = /^([0-9A-F]{8})\.history$/.exec(name);
  if (history !== null) return { kind: "history", timeline: Number.parseInt(history[1] ?? "", 16) };
  const match = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.partial|\.[0-9A-F]{8}\.backup)?$/.exec(
    name,
  );
  if (match === null) return undefined;
  const [timeline = 0, log = 0, rest = 0] = match
    .slice(1, 4)
    .map((text) => Number.parseInt(text, 16));
  if (timeline === 0 || rest >= perLog(segmentSize)) return undefined;
  const id = { timeline, number: log * perLog(segmentSize) + rest };
  if (match[4] === undefined) return { kind: "segment", ...id };
  return match[4] === ".partial" ? { kind: "partial", ...id } : { kind: "backup-label" };
}

/** PostgreSQL's name of a segment. */
export function printSegment({ timeline, number }: SegmentId, segmentSize: number): string {
  const count = perLog(segmentSize);
  return hex(timeline) + hex(Math.floor(number / count)) + hex(number % count);
}

/** The number of the segment that holds the byte at `at`. */
export const segmentNumber = (at: Lsn, segmentSize: number): number =>
  Number(at / BigInt(segmentSize));

/** Where a segment begins. */
export const segmentStart = (number: number, segmentSize: number): Lsn =>
  lsn(BigInt(number) * BigInt(segmentSize));
