// What was in a stored object, and is it still what was stored?
import { objectIn } from "../adapters/repo/packing.ts";
import { asStored, type Expected } from "./bytes.ts";
import type { Shelf, Take } from "./shelf.ts";

/**
 * Gives the plain content to `take`, and compares the stored bytes with the record: REPO_DAMAGED at the end at the latest. A
 * file that zstd reads by itself is read by us beside it: its bytes never go from us into a pipe.
 */
export async function readBack(
  shelf: Pick<Shelf, "repo" | "unpackInto">,
  { key, take, ...expected }: Expected & { readonly key: string; readonly take: Take },
  signal: AbortSignal,
): Promise<void> {
  const object = await objectIn(shelf.repo, key, signal);
  if (!("wholeFile" in object)) {
    await shelf.unpackInto(take, expected.file, asStored(object, expected));
    return;
  }
  const stop = new AbortController();
  const found: { wrong?: { readonly error: unknown } } = {};
  const comparing = compare(shelf, { key, ...expected }, AbortSignal.any([signal, stop.signal]));
  const noted = comparing.catch((error: unknown) => {
    found.wrong = { error };
    throw error;
  });
  // Whoever is told of a failure is given nothing more, however long the program still hangs on a dead mount.
  const guarded: Take = (bytes) => {
    if (found.wrong !== undefined) throw found.wrong.error;
    take(bytes);
  };
  try {
    await Promise.all([shelf.unpackInto(guarded, expected.file, object), noted]);
  } finally {
    stop.abort();
  }
}

async function compare(
  { repo }: Pick<Shelf, "repo">,
  { key, ...expected }: Expected & { readonly key: string },
  signal: AbortSignal,
): Promise<void> {
  for await (const _ of asStored(await repo.get(key, signal), expected)) continue;
}
