// Is a file of pg_wal what its name says: whole, of this cluster, at this place of the history?
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
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
  const { size } = await stat(path);
  const kind = parseWalName(name)?.kind;
  if (kind === "segment" || kind === "partial") {
    const file = { name, sizeBytes: size, systemId: expected.systemId };
    const why = whyNotSegment(await firstBytes(path), file);
    if (why !== undefined) throw new AppError("NOT_POSSIBLE", `archiving ${name}`, why);
  }
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Uint8Array);
  return { name, path, sizeBytes: size, sha256: hash.digest("hex") };
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const header = Buffer.alloc(WAL_HEADER_BYTES);
    const { bytesRead } = await file.read(header, 0, WAL_HEADER_BYTES, 0);
    return header.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
