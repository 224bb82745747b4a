// How does the beginning of a segment lie in a repository, before the segment is whole?
//
// As pieces, each once: the bytes of the segment from one offset to another. They are what arrived in half a second or
// so, and go when the whole segment is there.
import type { StoredPartial } from "./coverage.ts";
import { lsn } from "./lsn.ts";
import { endingOf, unpacked } from "./repo-keys.ts";
import type { Packing } from "./repository.ts";
import { parseWalName, segmentStart } from "./wal-name.ts";

export const TAIL_PREFIX = "tail/";

export interface TailPiece {
  /** The segment, as PostgreSQL names it. */
  readonly segment: string;
  /** Offsets in the segment: from the first byte, up to the one that is not in it. */
  readonly from: number;
  readonly to: number;
}

const hex = (n: number): string => n.toString(16).toUpperCase().padStart(8, "0");

export const tailKey = ({ segment, from, to }: TailPiece, packing: Packing): string =>
  `${TAIL_PREFIX}${segment}/${hex(from)}-${hex(to)}${endingOf(packing)}`;

/** Undefined when the key is not that of a piece. */
export function parseTailKey(key: string): TailPiece | undefined {
  const match = /^tail\/([0-9A-F]{24})\/([0-9A-F]{8})-([0-9A-F]{8})$/.exec(unpacked(key).name);
  if (match === null) return undefined;
  const [from, to] = [match[2], match[3]].map((text) => Number.parseInt(text ?? "", 16));
  if (from === undefined || to === undefined || from >= to) return undefined;
  return { segment: match[1] ?? "", from, to };
}

/** The pieces that make an unbroken beginning, in their order; two receivers may have sent the same bytes. */
export function unbroken<P extends TailPiece>(pieces: readonly P[]): readonly P[] {
  const row: P[] = [];
  let end = 0;
  for (const piece of pieces.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    if (piece.from > end) break;
    if (piece.to > end) row.push(piece);
    end = Math.max(end, piece.to);
  }
  return row;
}

/** How far each segment that is not whole yet is there. */
export function partialsOf(
  pieces: readonly TailPiece[],
  segmentSize: number,
): readonly StoredPartial[] {
  return [...new Set(pieces.map(({ segment }) => segment))].flatMap((segment) => {
    const parsed = parseWalName(segment, segmentSize);
    const end = unbroken(pieces.filter((piece) => piece.segment === segment)).at(-1)?.to;
    if (parsed?.kind !== "segment" || end === undefined) return [];
    const { timeline, number } = parsed;
    return [{ timeline, endLsn: lsn(segmentStart(number, segmentSize) + BigInt(end)) }];
  });
}
