// How long does one request to a repository last at most, and how does it end early?
import { AppError, type ErrorCode } from "../../model/error.ts";
import { Ending } from "../system/ending.ts";

/** A store that says nothing for so long is taken for one that will not answer. */
export const SILENCE_LIMIT_MS = 30_000;

/**
 * What `work` answers, unless the signal or half a minute of silence ends the wait first. The work itself cannot always
 * be ended (a file call on a dead mount): it is left behind, and its outcome is of no more interest.
 */
export function bounded<T>(
  work: Promise<T>,
  signal: AbortSignal,
  silent: { readonly code: ErrorCode; readonly attempt: string },
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    const timer = setTimeout(
      () => reject(new AppError(silent.code, silent.attempt, "no answer for 30 s")),
      SILENCE_LIMIT_MS,
    );
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    });
  });
}

/** The same bytes, but nobody waits for a source that says nothing once the signal has ended the wait. */
export async function* endedBy(
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const source = content[Symbol.asyncIterator]();
  const ending = new Ending();
  const stop = (): void => ending.end(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const next = await ending.before(source.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    // A source that hangs would not answer this either.
    source.return?.().catch(() => undefined);
  }
}

/** An object on its way out of a repository. */
export interface Reading {
  readonly content: AsyncIterable<Uint8Array>;
  /** Undefined when the store did not say it. */
  readonly sizeBytes: number | undefined;
  readonly attempt: string;
  /** What a failure of this kind of store means. */
  readonly asRepoError: (error: unknown, attempt: string) => AppError;
}

/** Its bytes, each piece waited for as long as one request; REPO_DAMAGED at the end when they were too few or too many. */
export async function* whole(reading: Reading, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const { content, sizeBytes, attempt, asRepoError } = reading;
  const chunks = content[Symbol.asyncIterator]();
  let came = 0;
  try {
    for (;;) {
      const next = await bounded(chunks.next(), signal, { code: "REPO_UNREACHABLE", attempt });
      if (next.done === true) break;
      came += next.value.length;
      yield next.value;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw asRepoError(error, attempt);
  } finally {
    // A store that hangs would not answer this either.
    chunks.return?.().catch(() => undefined);
  }
  if (sizeBytes !== undefined && came !== sizeBytes)
    throw new AppError("REPO_DAMAGED", attempt, `${came} of ${sizeBytes} bytes came`);
}
