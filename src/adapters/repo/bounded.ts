// How long does one request to a repository last at most, and how does it end early?
import { AppError, type ErrorCode } from "../../model/error.ts";

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
  let stop = (): void => undefined;
  const ended = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
  });
  ended.catch(() => undefined);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const next = await Promise.race([source.next(), ended]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    // A source that hangs would not answer this either.
    source.return?.().catch(() => undefined);
  }
}
