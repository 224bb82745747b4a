// How do bytes become an object, and bytes again? Compressed by `zstd` or gzip, then encrypted by `age`, as streams.
import { type ChildProcess, spawn } from "node:child_process";
import { pipeline, Readable } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import { AppError } from "../../model/error.ts";
import type { Compression, Packing } from "../../model/repository.ts";
import { decryptAge, encryptAge } from "./age.ts";
import { endedBy } from "./bounded.ts";
import { digestFrame } from "./digest-frame.ts";

export interface PackOptions {
  readonly compression: Compression;
  /** Public keys; none: not encrypted. */
  readonly recipients: readonly string[];
  /** SHA-256 of the plain content in hex, when it is known: an object of zstd or age then tells it to who does not unpack it. */
  readonly digest?: string | undefined;
}

/** The bytes of the object. Fails when the source fails; the program that compresses ends with the signal. */
export function pack(
  plain: AsyncIterable<Uint8Array>,
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

/** The plain bytes of an object. REPO_DAMAGED when it is not whole, or not what was packed. */
export function unpack(
  object: AsyncIterable<Uint8Array>,
  how: { readonly packing: Packing; readonly identities: readonly string[] },
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const { packing, identities } = how;
  const opened = packing.encrypted ? decryptAge(object, identities) : object;
  return decompress(opened, packing.compression, signal);
}

function compress(
  plain: AsyncIterable<Uint8Array>,
  compression: Compression,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (compression === "none") return endedBy(plain, signal);
  if (compression === "gzip") return throughGzip(plain, createGzip({ level: 1 }), signal);
  // One thread: a database has better use for the others. The frame carries a checksum by default.
  return throughZstd(plain, ["-q", "-1", "--single-thread", "-c"], signal);
}

function decompress(
  object: AsyncIterable<Uint8Array>,
  compression: Compression,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (compression === "none") return endedBy(object, signal);
  if (compression === "gzip") return throughGzip(object, createGunzip(), signal);
  return throughZstd(object, ["-q", "-d", "-c"], signal);
}

async function* throughGzip(
  input: AsyncIterable<Uint8Array>,
  gzip: ReturnType<typeof createGzip> | ReturnType<typeof createGunzip>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const failed: { by?: unknown } = {};
  const source = watched(endedBy(input, signal), failed);
  const piped = pipeline(Readable.from(source, { objectMode: false }), gzip, () => undefined);
  try {
    yield* piped as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failed.by ?? damaged(error instanceof Error ? error.message : String(error), error);
  }
}

async function* throughZstd(
  input: AsyncIterable<Uint8Array>,
  args: readonly string[],
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  signal.throwIfAborted();
  const child = spawn("zstd", args, { stdio: ["pipe", "pipe", "pipe"], signal });
  const failed: { by?: unknown } = {};
  const end = endOf(child);
  // What fails on the way in ends the program, so that half an object is never taken for a whole one.
  const source = watched(endedBy(input, signal), failed, () => child.kill("SIGKILL"));
  pipeline(Readable.from(source, { objectMode: false }), child.stdin, () => undefined);
  try {
    for await (const bytes of endedBy(child.stdout, signal)) yield bytes;
    const { code, words } = await end;
    if (failed.by !== undefined) throw failed.by;
    if (code !== 0) throw damaged(words);
  } finally {
    child.kill("SIGKILL");
    await end.catch(() => undefined);
  }
}

/**
 * Notes why the source failed, since a pipe would only say that it was closed. What the pipe throws in here, because its
 * other end is gone, is no failure of the source.
 */
async function* watched(
  input: AsyncIterable<Uint8Array>,
  failed: { by?: unknown },
  onFailure: () => void = () => undefined,
): AsyncIterable<Uint8Array> {
  const source = input[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await source.next().catch((error: unknown) => {
        failed.by = error;
        onFailure();
        throw error;
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await source.return?.();
  }
}

function endOf(child: ChildProcess): Promise<{ code: number | null; words: string }> {
  let words = "";
  child.stderr?.on("data", (text: Buffer) => {
    words = `${words}${text.toString("utf8")}`.slice(-500);
  });
  const end = new Promise<{ code: number | null; words: string }>((resolve, reject) => {
    child.once("error", (error) => {
      if (error.name === "AbortError") return;
      reject(new AppError("PROGRAM_MISSING", "starting zstd", error.message, error));
    });
    child.once("close", (code) => resolve({ code, words: words.trim() }));
  });
  end.catch(() => undefined);
  return end;
}

const damaged = (why: string, cause?: unknown): AppError =>
  new AppError("REPO_DAMAGED", "unpacking an object", why, cause);
