// How do bytes become an object, and bytes again? Compressed by `zstd` or gzip, then encrypted by `age`, as streams.
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { pipeline as pipelined } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { AppError } from "../../model/error.ts";
import { unpacked } from "../../model/repo-keys.ts";
import type { Compression, Packing } from "../../model/repository.ts";
import type { Repo } from "../../ports/repo.ts";
import { decryptAge, encryptAge } from "./age.ts";
import { endedBy } from "./bounded.ts";
import { digestFrame } from "./digest-frame.ts";
import { noting } from "./noting.ts";
import { COMPRESS, DECOMPRESS, throughZstd, zstdBetween, zstdInto } from "./zstd.ts";

/** Bytes as they come, or a file of this machine: that one zstd reads by itself. */
export type Source = AsyncIterable<Uint8Array> | { readonly wholeFile: string };

export interface PackOptions {
  readonly compression: Compression;
  /** Public keys; none: not encrypted. */
  readonly recipients: readonly string[];
  /** SHA-256 of the plain content in hex, when it is known: an object of zstd or age then tells it to who does not unpack it. */
  readonly digest?: string | undefined;
}

/** The bytes of the object. Fails when the source fails; the program that compresses ends with the signal. */
export function pack(
  plain: Source,
  options: PackOptions,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const { compression, recipients, digest } = options;
  const compressed = compress(plain, compression, signal);
  if (recipients.length > 0) return encryptAge(compressed, options);
  if (compression !== "zstd" || digest === undefined) return compressed;
  return behind(digestFrame(digest), compressed);
}

async function* behind(
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  yield first;
  yield* rest;
}

export interface Unpacking {
  readonly packing: Packing;
  /** Private keys. */
  readonly identities: readonly string[];
}

/** The plain bytes of an object. REPO_DAMAGED when it is not whole, or not what was packed. */
export function unpack(
  object: Source,
  { packing, identities }: Unpacking,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const opened = packing.encrypted ? decryptAge(bytesIn(object), identities) : object;
  return decompress(opened, packing.compression, signal);
}

/** The same piece by piece, in memory that may be used again: what `take` keeps it must copy. Fails with what it throws, too. */
export async function unpackInto(
  take: (bytes: Uint8Array) => void,
  { object, packing, identities }: Unpacking & { readonly object: Source },
  signal: AbortSignal,
): Promise<void> {
  if (packing.compression === "zstd") {
    const packed = packing.encrypted ? decryptAge(bytesIn(object), identities) : object;
    return zstdInto(packed, { args: DECOMPRESS, take }, signal);
  }
  for await (const bytes of unpack(object, { packing, identities }, signal)) take(bytes);
}

/** Writes the plain bytes of an object into a file, which is made anew for its owner alone. Fails as `unpack` does. */
export async function unpackTo(
  path: string,
  { object, packing, identities }: Unpacking & { readonly object: Source },
  signal: AbortSignal,
): Promise<void> {
  if ("wholeFile" in object && isZstdAlone(packing))
    return zstdBetween({ from: object.wholeFile, to: path }, DECOMPRESS, signal);
  const plain = Readable.from(unpack(object, { packing, identities }, signal), {
    objectMode: false,
  });
  await pipelined(plain, createWriteStream(path, { mode: 0o600 }), { signal });
}

/** An object as it is stored: as a file where zstd can read it there, else as bytes. REPO_MISSING at the latest when read. */
export async function objectIn(repo: Repo, key: string, signal: AbortSignal): Promise<Source> {
  const path = isZstdAlone(unpacked(key).packing) ? repo.fileOf(key) : undefined;
  return path === undefined ? repo.get(key, signal) : { wholeFile: path };
}

const isZstdAlone = ({ compression, encrypted }: Packing): boolean =>
  compression === "zstd" && !encrypted;

const bytesIn = (source: Source): AsyncIterable<Uint8Array> =>
  "wholeFile" in source
    ? createReadStream(source.wholeFile, { highWaterMark: 1024 * 1024 })
    : source;

function compress(
  plain: Source,
  compression: Compression,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (compression === "zstd") return throughZstd(plain, COMPRESS, signal);
  const bytes = bytesIn(plain);
  if (compression === "none") return endedBy(bytes, signal);
  return throughGzip(bytes, createGzip({ level: 1 }), signal);
}

function decompress(
  object: Source,
  compression: Compression,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (compression === "zstd") return throughZstd(object, DECOMPRESS, signal);
  const bytes = bytesIn(object);
  if (compression === "none") return endedBy(bytes, signal);
  return throughGzip(bytes, createGunzip(), signal);
}

async function* throughGzip(
  input: AsyncIterable<Uint8Array>,
  gzip: ReturnType<typeof createGzip> | ReturnType<typeof createGunzip>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const failed: { by?: unknown } = {};
  const source = noting(endedBy(input, signal), failed);
  const piped = pipeline(Readable.from(source, { objectMode: false }), gzip, () => undefined);
  try {
    yield* piped as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failed.by ?? damaged(error instanceof Error ? error.message : String(error), error);
  }
}

const damaged = (why: string, cause?: unknown): AppError =>
  new AppError("REPO_DAMAGED", "unpacking an object", why, cause);
