// How does the beginning of the last segment get into a restored directory, while the segment itself is not whole yet?
//
// It lies in pieces that arrived moments after they were written, and go as soon as the whole segment is there: on a
// living cluster that may happen between the plan and this.
import { chown, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../model/error.ts";
import { parseTailKey, partialsOf, TAIL_PREFIX, unbroken } from "../model/wal-tail.ts";
import type { Archive } from "./archive.ts";
import { naming } from "./bytes.ts";
import type { FileOwner } from "./restore-files.ts";
import type { Shelf } from "./shelf.ts";

/** The archive with what is there of segments that are not whole. */
export async function withTails(
  archive: Archive,
  { repo }: Pick<Shelf, "repo">,
  signal: AbortSignal,
): Promise<Archive> {
  const storedAtMs = new Map(archive.storedAtMs);
  const pieces = (await repo.list(TAIL_PREFIX, signal)).flatMap((object) => {
    const piece = parseTailKey(object.key);
    if (piece === undefined || archive.keys.has(piece.segment)) return [];
    const newest = Math.max(storedAtMs.get(piece.segment) ?? 0, object.storedAtMs);
    storedAtMs.set(piece.segment, newest);
    return [piece];
  });
  return { ...archive, partials: partialsOf(pieces, archive.segmentSize), storedAtMs };
}

export interface TailWish {
  readonly shelf: Pick<Shelf, "repo" | "unpack">;
  readonly segment: string;
  readonly segmentSize: number;
  /** `pg_wal` of the restored directory. */
  readonly folder: string;
  readonly owner: FileOwner | undefined;
  readonly signal: AbortSignal;
}

/**
 * Lays the segment down as far as it is there, and zeros behind it, as recovery wants it; false when its pieces are gone,
 * because the whole segment has come.
 */
export async function layTail(wish: TailWish): Promise<boolean> {
  const { shelf, segment, segmentSize, folder, owner, signal } = wish;
  const listed = await shelf.repo.list(`${TAIL_PREFIX}${segment}/`, signal);
  const pieces = unbroken(
    listed.flatMap(({ key }) => {
      const piece = parseTailKey(key);
      return piece === undefined ? [] : [{ ...piece, key }];
    }),
  );
  if (pieces.length === 0) return false;
  const path = join(folder, segment);
  await using file = await open(`${path}.fetched`, "w", 0o600);
  await file.truncate(segmentSize);
  for (const { key, from, to } of pieces) {
    try {
      await naming(key, () => writePiece(file, { shelf, key, from, to, signal }));
    } catch (error) {
      if (error instanceof AppError && error.code === "REPO_MISSING") return false;
      throw error;
    }
  }
  if (owner !== undefined) await chown(`${path}.fetched`, owner.uid, owner.gid);
  await rename(`${path}.fetched`, path);
  return true;
}

interface Piece extends Pick<TailWish, "shelf" | "signal"> {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

async function writePiece(
  file: { write(bytes: Uint8Array, offset: number, length: number, at: number): Promise<unknown> },
  { shelf, key, from, to, signal }: Piece,
): Promise<void> {
  let at = from;
  for await (const bytes of shelf.unpack(key, await shelf.repo.get(key, signal))) {
    await file.write(bytes, 0, bytes.length, at);
    at += bytes.length;
  }
  if (at === to) return;
  const why = `it has ${at - from} bytes and should have ${to - from}`;
  throw new AppError("REPO_DAMAGED", "fetching the end of the WAL", why);
}
