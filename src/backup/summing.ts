// What is the sum of a file, as the server's manifest has it?
import { createHash, type Hash } from "node:crypto";
import { createCRC32 } from "hash-wasm";
import { CASTAGNOLI } from "../adapters/postgres/crc32c.ts";
import type { FileSum } from "../model/backup-manifest.ts";

/** Sums up one file after the other. */
export interface Summing {
  readonly by: FileSum;
  /** The next file; what came of the last one is forgotten. */
  begin(): void;
  add(bytes: Uint8Array): void;
  /** Of what came since the beginning, in hex as the server writes it. */
  end(): string;
}

export async function createSumming(by: FileSum): Promise<Summing> {
  return by === "CRC32C" ? crc32c() : sha256();
}

function sha256(): Summing {
  let hash: Hash = createHash("sha256");
  return {
    by: "SHA256",
    begin: () => {
      hash = createHash("sha256");
    },
    add: (bytes) => void hash.update(bytes),
    end: () => hash.digest("hex"),
  };
}

async function crc32c(): Promise<Summing> {
  const hash = await createCRC32(CASTAGNOLI);
  return {
    by: "CRC32C",
    begin: () => void hash.init(),
    add: (bytes) => void hash.update(bytes),
    // The server prints the bytes of the number as they lie in its memory, the lowest first.
    end: () => hash.digest("hex").replace(/(..)(..)(..)(..)/, "$4$3$2$1"),
  };
}
