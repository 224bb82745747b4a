// Is a segment what its name says, by the long header of its first page? (XLogLongPageHeaderData in PostgreSQL's sources)
import { parseWalName, segmentStart } from "./wal-name.ts";

/** So many bytes of the segment are needed. */
export const WAL_HEADER_BYTES = 40;
const TIMELINE_AT = 4;
const ADDRESS_AT = 8;
const SYSTEM_ID_AT = 24;
const SIZE_AT = 32;

export interface SegmentFile {
  /** PostgreSQL's name, also of a `.partial`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly systemId: string;
}

/** Why a file is not the segment of that name, of that cluster; undefined when it is. */
export function whyNotSegment(header: Uint8Array, file: SegmentFile): string | undefined {
  if (header.length < WAL_HEADER_BYTES) return "it is cut short";
  const fields = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const segmentSize = fields.getUint32(SIZE_AT, true);
  const parsed = parseWalName(file.name, segmentSize);
  if (parsed?.kind !== "segment" && parsed?.kind !== "partial") return "its first page is damaged";
  if (file.sizeBytes !== segmentSize)
    return `it has ${file.sizeBytes} bytes instead of ${segmentSize}`;
  const systemId = fields.getBigUint64(SYSTEM_ID_AT, true).toString();
  if (systemId !== file.systemId)
    return `it belongs to the system ${systemId}, and this is ${file.systemId}`;
  if (fields.getBigUint64(ADDRESS_AT, true) !== segmentStart(parsed.number, segmentSize))
    return "it holds WAL of another place";
  // The first segment of a timeline begins with its parent's pages.
  return fields.getUint32(TIMELINE_AT, true) > parsed.timeline
    ? "it holds a later timeline"
    : undefined;
}
