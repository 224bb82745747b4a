// Where in a repository does something lie, and how is it packed? (whoever has `tar`, `zstd` and `age` can read it)
import type { Compression, Packing } from "./repository.ts";
import { historyFileName } from "./timeline.ts";

export const IDENTITY_KEY = "repository.json";

/** Says that the cluster went on in this store, on a person's word. */
export const storeKey = (storeId: string): string => `stores/${storeId}.json`;

const ENDINGS: Readonly<Record<Compression, string>> = { zstd: ".zst", gzip: ".gz", none: "" };
const AGE = ".age";

/** The folder of one cluster in a repository that may hold several. */
export const clusterPlace = (scope: string, systemId: string): string => `${scope}/${systemId}`;

/** The ending that tells how an object is packed: `.zst`, `.gz.age`, nothing. */
export const endingOf = (packing: Packing): string =>
  ENDINGS[packing.compression] + (packing.encrypted ? AGE : "");

export interface Unpacked {
  /** The name without the endings of its packing. */
  readonly name: string;
  readonly packing: Packing;
}

/** The plain name, and how the object is packed, from its key. */
export function unpacked(key: string): Unpacked {
  const encrypted = key.endsWith(AGE);
  const inner = encrypted ? key.slice(0, -AGE.length) : key;
  for (const compression of ["zstd", "gzip"] as const) {
    const ending = ENDINGS[compression];
    if (inner.endsWith(ending))
      return { name: inner.slice(0, -ending.length), packing: { compression, encrypted } };
  }
  return { name: inner, packing: { compression: "none", encrypted } };
}

/** PostgreSQL names a whole segment with 24 hex digits; the first eight are its timeline. */
const SEGMENT = /^([0-9A-F]{8})[0-9A-F]{16}(?:\.partial)?$/;
const HISTORY = /^[0-9A-F]{8}\.history$/;

/** Where a file of PostgreSQL's archive lies: a segment, a partial one, or a history. Undefined for another name. */
export function walKey(fileName: string, packing: Packing): string | undefined {
  const timeline = SEGMENT.exec(fileName)?.[1];
  if (timeline !== undefined) return `${walPrefix(timeline)}${fileName}${endingOf(packing)}`;
  if (HISTORY.test(fileName)) return `wal/${fileName}${endingOf(packing)}`;
  return undefined;
}

/** Where the segments of one timeline (eight hex digits, or its number) lie. */
export const walPrefix = (timeline: string | number): string =>
  `wal/${typeof timeline === "number" ? historyFileName(timeline).slice(0, 8) : timeline}/`;

/** PostgreSQL's name of the file that lies at this key; undefined when it is not of the archive. */
export function walFileOf(key: string): string | undefined {
  if (!key.startsWith("wal/")) return undefined;
  const fileName = unpacked(key).name.split("/").at(-1) ?? "";
  return SEGMENT.test(fileName) || HISTORY.test(fileName) ? fileName : undefined;
}

/** A file of one base backup; `backup.json` is written last and makes it one. */
export const baseKey = (id: string, file: string): string => `base/${id}/${file}`;
/** A file of one logical backup, by the same rule. */
export const logicalKey = (id: string, file: string): string => `logical/${id}/${file}`;
export const proofKey = (id: string): string => `proofs/${id}.json`;

/** The two kinds of backups, as the folders in which they lie. */
export type BackupKind = "base" | "logical";

/** Its presence says that the backup beside it is being removed: nobody begins to read it any more. */
export const EXPIRED_FILE = "expired.json";
export const expiredKey = (kind: BackupKind, id: string): string => `${kind}/${id}/${EXPIRED_FILE}`;

/** Small objects of runs that remove what has expired, each for as long as it runs. */
export const EXPIRIES_PREFIX = "expiries/";

export const IN_USE_PREFIX = "in-use/";
/** A note of somebody who reads or writes this backup just now; `note` is his own. */
export const inUseKey = (id: string, note: string): string => `${IN_USE_PREFIX}${id}/${note}.json`;
/** The signature beside a proof: 64 bytes, Ed25519. */
export const signatureKey = (id: string): string => `proofs/${id}.sig`;
/** A public key that has signed proofs, as PEM. */
export const signerKey = (signer: string): string => `signers/${signer}.pem`;
