// Why did the source of a pipe fail? The pipe itself would only say that it was closed.

/**
 * The same bytes; notes what the source failed with. What the pipe throws in here, because its other end is gone, is no
 * failure of the source.
 */
export async function* noting(
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
