// Where does this cluster's backup lie, and how is it packed there? One repository with its packing.
import type { Source } from "../adapters/repo/packing.ts";
import type { Packing } from "../model/repository.ts";
import type { Repo } from "../ports/repo.ts";
import type { Bytes } from "./bytes.ts";
import type { Signer } from "./signing.ts";

/** Is given the next piece. */
export type Take = (bytes: Uint8Array) => void;

export interface Shelf {
  readonly repo: Repo;
  readonly systemId: string;
  /** To be called before anything is written. Throws REPO_FOREIGN where another cluster's objects lie. */
  claim(): Promise<void>;
  readonly packing: Packing;
  /** Compressed and encrypted, as the packing says. */
  pack(content: Bytes): Bytes;
  /** Encrypted as the packing says: what comes is compressed already. */
  encrypt(content: Bytes): Bytes;
  /** Undoes the compression of the packing alone; the memory of a piece may be used again. */
  decompressInto(take: Take, content: Bytes): Promise<void>;
  /** Undoes what the name of a stored object says. Throws REPO_KEY_WRONG without the right key. */
  unpack(key: string, content: Source): Bytes;
  /** The same piece by piece; the memory of a piece may be used again. */
  unpackInto(take: Take, key: string, content: Source): Promise<void>;
  /** Writes the plain content of a stored object into a file, which is made anew. Throws REPO_… */
  layDown(key: string, path: string): Promise<void>;
  /** Whose proofs of drills are believed; empty: those of every key that the repository keeps. */
  readonly signers: readonly string[];
  /** This member's own key; undefined where there is none, or where it cannot be read. */
  ownSigner(): Promise<Signer | undefined>;
  /** Can what is encrypted be read here? */
  readonly canRead: boolean;
}
