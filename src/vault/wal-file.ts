// Is a file of pg_wal what its name says: whole, of this cluster, at this place of the history?
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { AppError } from "../model/error.ts";
import { WAL_HEADER_BYTES, whyNotSegment } from "../model/wal-header.ts";
import { parseWalName } from "../model/wal-name.ts";

export interface WalFile {
  /** PostgreSQL's name. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the content, in hex: what makes two files of one name the same. */
  readonly sha256: string;
}

/**
 * Reads it once, whole. Throws NOT_POSSIBLE when a segment is cut short or belongs elsewhere: stored under this name it
 * would be found on the day of the restore.
 */
export async function readWalFile(
  name: string,
  path: string,
  expected: { readonly systemId: string },
): Promise<WalFile> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const kind = parseWalName(name)?.kind;
    if (kind === "segment" || kind === "partial") {
      const facts = { name, sizeBytes: size, systemId: expected.systemId };
      const why = whyNotSegment(await firstBytes(file), facts);
      if (why !== undefined) throw new AppError("NOT_POSSIBLE", `archiving ${name}`, why);
    }
    return { name, path, sizeBytes: size, sha256: await digestOf(file) };
  } finally {
    await file.close();
  }
}

async function firstBytes(file: FileHandle): Promise<Uint8Array> {
  const header = Buffer.alloc(WAL_HEADER_BYTES);
  const { bytesRead } = await file.read(header, 0, WAL_HEADER_BYTES, 0);
  return header.subarray(0, bytesRead);
}

/** Through one piece of memory: fresh memory for each read costs half as much again as the sum itself. */
async function digestOf(file: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(1024 * 1024);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
}
