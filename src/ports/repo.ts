// The port to where backups lie: objects below the place of one cluster, each written once and never changed.

/** One object as a listing shows it. */
export interface StoredObject {
  /** Below the cluster's place, with slashes, as `model/repo-keys.ts` spells it. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Wall-clock milliseconds of the store: for people and schedules. */
  readonly storedAtMs: number;
}

/** What a put tells about the bytes that went by. */
export interface PutBytes {
  readonly sizeBytes: number;
  /** Of the stored bytes (compressed, encrypted), in hex. */
  readonly sha256: string;
}

/**
 * `exists-same`: an object with these very bytes was there before, perhaps by an earlier try of ours.
 * `exists-different`: another one is there, and was left as it is.
 */
export interface PutOutcome extends PutBytes {
  readonly kind: "stored" | "exists-same" | "exists-different";
}

export interface PutOptions {
  /** When it is known: an answer with another number of bytes is no success. */
  readonly sizeBytes?: number;
  /** Of the bytes to be stored, in hex, when it is known. */
  readonly sha256?: string;
}

/** What the store can do, as it has shown by doing it. */
export interface RepoPowers {
  /** A second put to a key is refused by the store itself, whoever is first. */
  readonly createOnly: boolean;
  /** Bytes that arrive damaged are refused by the store itself. */
  readonly checksums: boolean;
  /** What is not as it should be, one line each; empty when all is well. */
  readonly problems: readonly string[];
}

/**
 * One repository, at the place of one cluster. Every call ends with its signal, and by itself when the store says
 * nothing for half a minute. Failures are AppErrors REPO_…; REPO_UNKNOWN says that an answer never came: the object may
 * be there or not, so look again, and never take it for a no.
 */
export interface Repo {
  readonly name: string;
  readonly kind: "directory" | "s3";
  /**
   * Creates the object, or finds one there: whole or not at all, durable before it answers. `content` is read once. When
   * its source fails, or the signal ends it, nothing is stored.
   */
  put(
    key: string,
    content: AsyncIterable<Uint8Array>,
    options: PutOptions,
    signal: AbortSignal,
  ): Promise<PutOutcome>;
  /** The bytes as stored. REPO_MISSING when the store says that there is no such object; fails when it ends early. */
  get(key: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Where programs of this machine can read the object as a file, if it is there; undefined where objects are no files. */
  fileOf(key: string): string | undefined;
  /** Undefined only when the store says that there is no such object. */
  head(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  /** Every object whose key begins with `prefix`, in the order of their keys: complete, or it throws. */
  list(prefix: string, signal: AbortSignal): Promise<readonly StoredObject[]>;
  /** For retention and a person's word alone. An object that is not there is removed already. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  probe(signal: AbortSignal): Promise<RepoPowers>;
}
