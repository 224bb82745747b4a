// How far has a receiver written a segment that it has made as large as a whole one?
//
// Each page of WAL begins with a magic number, and what is not written yet is zeros. So the end lies in the last page with
// a header; trailing zeros of a record need not be sent, since whoever puts the pieces together begins with zeros.
import type { FileHandle } from "node:fs/promises";

const PAGE = 8192;
const CHUNK = 64 * PAGE;

/** The offset after the last byte that is not zero, looking from a page that is known to be written, or from 0. */
export async function writtenEnd(file: FileHandle, from: number, size: number): Promise<number> {
  let end = from;
  const chunk = Buffer.alloc(CHUNK);
  for (let at = from - (from % PAGE); at < size; at += CHUNK) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK, size - at), at);
    for (let page = 0; page < bytesRead; page += PAGE) {
      if (chunk.readUInt16LE(page) === 0) return end;
      end = Math.max(end, at + page + lastByte(chunk.subarray(page, page + PAGE)));
    }
    if (bytesRead < CHUNK) return end;
  }
  return end;
}

function lastByte(page: Buffer): number {
  let end = page.length;
  while (end > 0 && page[end - 1] === 0) end -= 1;
  return end;
}
