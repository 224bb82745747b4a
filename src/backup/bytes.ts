// Streams of bytes as all pieces of a backup pass them on.
import { createHash } from "node:crypto";
import { AppError, asAppError } from "../model/error.ts";

export type Bytes = AsyncIterable<Uint8Array>;

export async function* bytesOf(text: string): Bytes {
  yield Buffer.from(text);
}

export async function wholeOf(content: Bytes): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const bytes of content) parts.push(bytes);
  return Buffer.concat(parts);
}

export const textOf = async (content: Bytes): Promise<string> =>
  (await wholeOf(content)).toString("utf8");

export interface Expected {
  readonly file: string;
  readonly storedBytes: number;
  readonly sha256: string;
}

/** The same bytes; REPO_DAMAGED at the end when they were not those that were stored. */
export async function* asStored(content: Bytes, expected: Expected): Bytes {
  const hash = createHash("sha256");
  let count = 0;
  for await (const bytes of content) {
    hash.update(bytes);
    count += bytes.length;
    yield bytes;
  }
  if (count === expected.storedBytes && hash.digest("hex") === expected.sha256) return;
  throw new AppError("REPO_DAMAGED", `reading ${expected.file}`, "its bytes are not those stored");
}

/** What reading back has found to be wrong. A repository that does not answer has found nothing: that is thrown. */
export function damageIn(error: unknown, attempt: string, signal: AbortSignal): AppError {
  signal.throwIfAborted();
  const failure = asAppError(error, "REPO_UNREACHABLE", attempt);
  if (failure.code === "REPO_DAMAGED" || failure.code === "REPO_MISSING") return failure;
  throw failure;
}

/** Which object is damaged is what a person can do something about: its name is said whoever found it out. */
export async function naming<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isDamage = error instanceof AppError && error.code === "REPO_DAMAGED";
    if (!isDamage || error.message.includes(file)) throw error;
    throw new AppError("REPO_DAMAGED", error.attempt, `${file}: ${error.why}`, error.cause);
  }
}
