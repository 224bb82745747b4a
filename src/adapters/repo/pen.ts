// How do many small pieces get into one file without a wait for each? Gathered, and written while more come.
import type { FileHandle } from "node:fs/promises";

/** Large enough that a call costs nothing beside it. */
const PIECE_BYTES = 1024 * 1024;

/** Writes into the file from its beginning. Pieces that were given are not to be changed any more. */
export class Pen {
  readonly #file: FileHandle;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Waits for what was gathered before, never for this piece. Throws what an earlier write has failed with. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= PIECE_BYTES) await this.#turn();
  }

  /** Everything has been written, and nothing is synced. */
  async end(): Promise<void> {
    await this.#turn();
    await this.#writing;
  }

  async #turn(): Promise<void> {
    await this.#writing;
    const pieces = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#writing = this.#writeAll(pieces);
    // Told at the next turn, or at the end.
    this.#writing.catch(() => undefined);
  }

  /** A disk may take a part only; what it does not take at all is its failure to tell. */
  async #writeAll(pieces: readonly Uint8Array[]): Promise<void> {
    for (let left = pieces; left.length > 0; ) {
      const { bytesWritten } = await this.#file.writev(left);
      if (bytesWritten === 0) throw new Error("the disk takes nothing and does not say why");
      left = behind(left, bytesWritten);
    }
  }
}

/** What is left of the pieces behind their first bytes. */
function behind(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let passed = 0;
  return pieces.flatMap((piece) => {
    const from = Math.max(0, bytes - passed);
    passed += piece.length;
    return from < piece.length ? [piece.subarray(from)] : [];
  });
}
