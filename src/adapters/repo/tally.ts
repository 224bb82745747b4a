// How many bytes went by, and what is their SHA-256?
import { createHash } from "node:crypto";
import { AppError } from "../../model/error.ts";
import type { PutBytes, PutOptions } from "../../ports/repo.ts";

export class Tally {
  readonly #hash = createHash("sha256");
  #sizeBytes = 0;

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
  }

  /** Once, at the end. */
  result(): PutBytes {
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest("hex") };
  }
}

export async function tallyOf(content: AsyncIterable<Uint8Array>): Promise<PutBytes> {
  const tally = new Tally();
  for await (const bytes of content) tally.add(bytes);
  return tally.result();
}

/** Throws when other bytes went by than were announced: then nothing may be stored. */
export function requireAnnounced(key: string, went: PutBytes, options: PutOptions): void {
  const attempt = `putting ${key} into the repository`;
  if (options.sizeBytes !== undefined && options.sizeBytes !== went.sizeBytes)
    throw new AppError(
      "NOT_POSSIBLE",
      attempt,
      `${options.sizeBytes} bytes were announced and ${went.sizeBytes} came`,
    );
  if (options.sha256 !== undefined && options.sha256 !== went.sha256)
    throw new AppError("NOT_POSSIBLE", attempt, "the bytes are not those that were announced");
}
