// What is the plain content of a compressed object, for who does not want to read all of it?
//
// zstd's format has frames that every reader passes over ("skippable frames", RFC 8878, section 3.1.2). One of them goes
// in front and carries the SHA-256, so that members which have the same WAL need not unpack each other's objects.

import { AppError } from "../../model/error.ts";

/** The first of the sixteen magic numbers, and the length of what follows. */
const MAGIC = 0x184d2a50;
const HEAD_BYTES = 8;
const WORDS = "understudy/sha256 ";
const FRAME_BYTES = HEAD_BYTES + WORDS.length + 64;

/** `digest`: of the plain content, in hex. */
export function digestFrame(digest: string): Uint8Array {
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32LE(MAGIC, 0);
  frame.writeUInt32LE(FRAME_BYTES - HEAD_BYTES, 4);
  frame.write(WORDS + digest, HEAD_BYTES, "latin1");
  return frame;
}

/**
 * Reads the beginning alone; undefined when the object does not say it. What it says proves nothing. Throws REPO_DAMAGED
 * where it has said it once and is not as it was written.
 */
export async function digestInFrame(
  object: AsyncIterable<Uint8Array>,
): Promise<string | undefined> {
  let read: Buffer = Buffer.alloc(0);
  for await (const bytes of object) {
    read = Buffer.concat([read, bytes]);
    if (read.length >= FRAME_BYTES) break;
  }
  if (read.length < FRAME_BYTES || !isOurs(read)) return undefined;
  const text = read.toString("latin1", HEAD_BYTES, FRAME_BYTES);
  const digest = /^understudy\/sha256 ([0-9a-f]{64})$/.exec(text)?.[1];
  if (digest !== undefined && read.readUInt32LE(0) === MAGIC) return digest;
  const why = "what it tells of its content in front was changed";
  throw new AppError("REPO_DAMAGED", "reading an object", why);
}

/** Other programs write such frames too, with one of the sixteen numbers and another length. */
const isOurs = (read: Buffer): boolean =>
  read.readUInt32LE(0) >>> 4 === MAGIC >>> 4 && read.readUInt32LE(4) === FRAME_BYTES - HEAD_BYTES;
