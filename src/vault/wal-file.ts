// Is a file of pg_wal what its name says: whole, of this cluster, at this place of the history?
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { AppError } from "../model/error.ts";
import { parseWalName, segmentStart } from "../model/wal-name.ts";

/** Of PostgreSQL's long page header, which begins each segment. */
const HEADER_BYTES = 40;
const TIMELINE_AT = 4;
const ADDRESS_AT = 8;
const SYSTEM_ID_AT = 24;
const SIZE_AT = 32;

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
  const parsed = parseWalName(name);
  if (parsed?.kind === "segment" || parsed?.kind === "partial")
    await checkHeader(name, path, { ...expected, sizeBytes: size });
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Uint8Array);
  return { name, path, sizeBytes: size, sha256: hash.digest("hex") };
}

interface Expected {
  readonly systemId: string;
  readonly sizeBytes: number;
}

async function checkHeader(name: string, path: string, expected: Expected): Promise<void> {
  const problem = (why: string): never => {
    throw new AppError("NOT_POSSIBLE", `archiving ${name}`, why);
  };
  const header = await firstBytes(path);
  if (header === undefined) return problem("it is cut short");
  const segmentSize = header.readUInt32LE(SIZE_AT);
  const parsed = parseWalName(name, segmentSize);
  if (parsed?.kind !== "segment" && parsed?.kind !== "partial")
    return problem("its first page is damaged");
  if (expected.sizeBytes !== segmentSize)
    problem(`it has ${expected.sizeBytes} bytes instead of ${segmentSize}`);
  const systemId = header.readBigUInt64LE(SYSTEM_ID_AT).toString();
  if (systemId !== expected.systemId)
    problem(`it belongs to the system ${systemId}, and this is ${expected.systemId}`);
  if (header.readBigUInt64LE(ADDRESS_AT) !== segmentStart(parsed.number, segmentSize))
    problem("it holds WAL of another place");
  // The first segment of a timeline begins with its parent's pages.
  if (header.readUInt32LE(TIMELINE_AT) > parsed.timeline) problem("it holds a later timeline");
}

async function firstBytes(path: string): Promise<Buffer | undefined> {
  const file = await open(path, "r");
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0);
    return bytesRead === HEADER_BYTES ? header : undefined;
  } finally {
    await file.close();
  }
}
