// The beginning of a segment in the repositories, before the segment is whole: sent in pieces, put together, taken away.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pack } from "../adapters/repo/packing.ts";
import { parseTailKey, TAIL_PREFIX, type TailPiece, tailKey, unbroken } from "../model/wal-tail.ts";
import type { WalPacking, WalStore } from "./wal-store.ts";

/** Durable in this repository before it returns. Throws REPO_… */
export async function sendPiece(
  { repo }: WalStore,
  {
    path,
    piece,
    how,
  }: { readonly path: string; readonly piece: TailPiece; readonly how: WalPacking },
  signal: AbortSignal,
): Promise<void> {
  const { compression, recipients } = how;
  const content = createReadStream(path, { start: piece.from, end: piece.to - 1 });
  const packed = pack(content, { compression, recipients }, signal);
  const key = tailKey(piece, { compression, encrypted: recipients.length > 0 });
  await repo.put(key, packed, {}, signal);
}

/** The pieces that make an unbroken beginning of a segment, with their keys. */
async function piecesOf(
  { repo }: WalStore,
  segment: string,
  signal: AbortSignal,
): Promise<readonly (TailPiece & { readonly key: string })[]> {
  const keys = (await repo.list(`${TAIL_PREFIX}${segment}/`, signal)).map(({ key }) => key);
  return unbroken(
    keys.flatMap((key) => {
      const piece = parseTailKey(key);
      return piece === undefined ? [] : [{ ...piece, key }];
    }),
  );
}

/** Writes the segment as far as it is there, and zeros behind it, as recovery wants it. False when nothing is there. */
export async function assemble(
  store: WalStore,
  segment: string,
  to: { readonly path: string; readonly segmentSize: number },
  signal: AbortSignal,
): Promise<boolean> {
  const pieces = await piecesOf(store, segment, signal);
  if (pieces.length === 0) return false;
  const file = await open(to.path, "w", 0o600);
  try {
    await file.truncate(to.segmentSize);
    for (const { key, from } of pieces) {
      let at = from;
      for await (const chunk of await store.open(key, signal)) {
        await file.write(chunk, 0, chunk.length, at);
        at += chunk.length;
      }
    }
    await file.sync();
    return true;
  } finally {
    await file.close();
  }
}

/** The whole segment is there: its pieces have done what they were for. */
export async function removePieces(
  { repo }: WalStore,
  segment: string,
  signal: AbortSignal,
): Promise<void> {
  for (const { key } of await repo.list(`${TAIL_PREFIX}${segment}/`, signal))
    await repo.remove(key, signal);
}
