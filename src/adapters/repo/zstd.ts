// How is the program `zstd` run: on bytes that pass through us, or from a file that it reads by itself?
//
// What is a file on this machine is handed over opened: its bytes then never come through this process, which costs more
// than unpacking them.
import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";
import type { Socket } from "node:net";
import { pipeline, Readable } from "node:stream";
import { AppError, asAppError } from "../../model/error.ts";
import { Ending } from "../system/ending.ts";
import { bounded, endedBy, SILENCE_LIMIT_MS } from "./bounded.ts";
import { openChute } from "./chute.ts";
import { noting } from "./noting.ts";

/** One thread: a database has better use for the others. The frame carries a checksum by default. */
export const COMPRESS: readonly string[] = ["-q", "-1", "--single-thread", "-c"];
export const DECOMPRESS: readonly string[] = ["-q", "-d", "-c"];

/** The program's own exit codes where a disk does not take or give any more. */
const CANNOT_WRITE = 70;
const CANNOT_READ = 37;
const LOOK_EVERY_MS = 5_000;

/** What `zstd` makes of bytes or of a file. REPO_DAMAGED when it refuses them; what their source fails with else. */
export async function* throughZstd(
  input: AsyncIterable<Uint8Array> | { readonly wholeFile: string },
  args: readonly string[],
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  signal.throwIfAborted();
  const failed: { by?: unknown } = {};
  const { child, end } =
    "wholeFile" in input
      ? await startOn(input.wholeFile, { args, output: "pipe" }, signal)
      : started(spawn("zstd", args, { stdio: ["pipe", "pipe", "pipe"], signal }));
  if (!("wholeFile" in input)) feed(child, endedBy(input, signal), failed);
  try {
    const { stdout } = child;
    for await (const bytes of endedBy(stdout as AsyncIterable<Uint8Array>, signal)) yield bytes;
    const { code, words } = await end;
    if (failed.by !== undefined) throw failed.by;
    requireDone(code, words);
  } finally {
    child.kill("SIGKILL");
    await end.catch(() => undefined);
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly end: Promise<{ readonly code: number | null; readonly words: string }>;
}

/** The program has the file itself from then on: we close ours. */
async function startOn(
  path: string,
  { args, output }: { readonly args: readonly string[]; readonly output: "pipe" | number | Socket },
  signal: AbortSignal,
): Promise<Running> {
  const file = await opened(path, "r", signal);
  await using _ = closing(file);
  return started(spawn("zstd", args, { stdio: [file.fd, output, "pipe"], signal }));
}

/** What fails on the way in ends the program, so that half an object is never taken for a whole one. */
function feed(
  child: ChildProcess,
  input: AsyncIterable<Uint8Array>,
  failed: { by?: unknown },
): void {
  const source = noting(input, failed, () => child.kill("SIGKILL"));
  if (child.stdin !== null)
    pipeline(Readable.from(source, { objectMode: false }), child.stdin, () => undefined);
}

/**
 * Gives what `zstd` makes of it to `take`, piece by piece, in memory that is used again: what is kept must be copied. A
 * stream of Node's makes new memory for each piece, and clearing that away costs more than all the rest.
 */
export async function zstdInto(
  input: AsyncIterable<Uint8Array> | { readonly wholeFile: string },
  { args, take }: { readonly args: readonly string[]; readonly take: (bytes: Uint8Array) => void },
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const failed: { by?: unknown } = {};
  const { theirs, ended } = await openChute(take);
  let running: Running;
  try {
    running =
      "wholeFile" in input
        ? await startOn(input.wholeFile, { args, output: theirs }, signal)
        : started(spawn("zstd", args, { stdio: ["pipe", theirs, "pipe"], signal }));
  } finally {
    theirs.destroy();
  }
  const { child, end } = running;
  if (!("wholeFile" in input)) feed(child, endedBy(input, signal), failed);
  const ending = new Ending();
  const stop = (): void => ending.end(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (signal.aborted) stop();
    await ending.before(ended);
    const { code, words } = await ending.before(end);
    if (failed.by !== undefined) throw failed.by;
    requireDone(code, words);
  } finally {
    signal.removeEventListener("abort", stop);
    child.kill("SIGKILL");
    await end.catch(() => undefined);
  }
}

/** From one file into another, which is made anew. REPO_UNREACHABLE when nothing more has come for half a minute. */
export async function zstdBetween(
  { from, to }: { readonly from: string; readonly to: string },
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const target = await opened(to, "w", signal);
  await using _ = closing(target);
  const { child, end } = await startOn(from, { args, output: target.fd }, signal);
  try {
    const { code, words } = await whileItGrows(end, { from, target }, signal);
    if (code === CANNOT_WRITE) throw new AppError("PG_DISK_FULL", `writing ${to}`, words);
    requireDone(code, words);
  } finally {
    child.kill("SIGKILL");
  }
}

function requireDone(code: number | null, words: string): void {
  if (code === 0) return;
  // Ended from outside, for want of memory say: that tells nothing of the object.
  if (code === null) throw new AppError("NOT_POSSIBLE", "running zstd", "it was killed");
  const meaning = code === CANNOT_READ ? "REPO_UNREACHABLE" : "REPO_DAMAGED";
  throw new AppError(meaning, "unpacking an object", words);
}

/** A mount that is gone would let the program hang: then it is left behind. */
function whileItGrows<T>(
  end: Promise<T>,
  { from, target }: { readonly from: string; readonly target: FileHandle },
  signal: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const seen = { bytes: 0, at: performance.now() };
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    const look = async (): Promise<void> => {
      const { size } = await target.stat();
      if (size !== seen.bytes) Object.assign(seen, { bytes: size, at: performance.now() });
      else if (performance.now() - seen.at > SILENCE_LIMIT_MS)
        reject(new AppError("REPO_UNREACHABLE", `reading ${from}`, "no answer for 30 s"));
    };
    const timer = setInterval(() => void look().catch(reject), LOOK_EVERY_MS);
    signal.addEventListener("abort", stop, { once: true });
    end.then(resolve, reject).finally(() => {
      clearInterval(timer);
      signal.removeEventListener("abort", stop);
    });
  });
}

async function opened(path: string, how: "r" | "w", signal: AbortSignal): Promise<FileHandle> {
  signal.throwIfAborted();
  const attempt = `opening ${path}`;
  const opening = open(path, how, 0o600).catch((error: unknown) => {
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw asAppError(error, isAbsent ? "REPO_MISSING" : "REPO_UNREACHABLE", attempt);
  });
  return bounded(opening, signal, { code: "REPO_UNREACHABLE", attempt });
}

/** Listens at once: a signal may end the program before anybody waits for it. */
function started(child: ChildProcess): Running {
  // Once a program has ended, Node throws away what nobody has begun to read. Where somebody listens it keeps it.
  child.stdout?.on("readable", () => undefined);
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
  return { child, end };
}

const closing = (file: FileHandle) => ({ [Symbol.asyncDispose]: () => file.close() });
