// A file of the WAL goes into several repositories: who packs it? Whoever asks first, for all of them.
//
// Packing is what costs most on the way out of a node. The packed file is kept in memory as long as it is on its way; files
// of larger segments than usual are packed for each repository, so that the worker stays small.
import { type PackOptions, pack } from "../adapters/repo/packing.ts";
import type { WalFile } from "./wal-file.ts";

/** With as many files on their way as the lane lets in, this is what they take in memory, at most. */
const MOST_KEPT_BYTES = 32 * 1024 * 1024;

export class PackedOnce {
  readonly #file: WalFile;
  readonly #signal: AbortSignal;
  readonly #made = new Map<string, Promise<Uint8Array>>();

  /** The signal ends the packing for all who wait for it. */
  constructor(file: WalFile, signal: AbortSignal) {
    this.#file = file;
    this.#signal = signal;
  }

  /** The bytes of the object. Fails for everybody when packing does. */
  async *bytes(how: PackOptions): AsyncIterable<Uint8Array> {
    const plain = { wholeFile: this.#file.path };
    const content = (): AsyncIterable<Uint8Array> => pack(plain, how, this.#signal);
    if (this.#file.sizeBytes > MOST_KEPT_BYTES) yield* content();
    else yield await this.#kept(how, content);
  }

  #kept(how: PackOptions, content: () => AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const name = JSON.stringify(how);
    const making = this.#made.get(name) ?? wholeOf(content());
    this.#made.set(name, making);
    return making;
  }
}

async function wholeOf(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}
