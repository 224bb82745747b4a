// Which repositories does a cluster have, what do they hold as its own, and how are objects written into them?
import type { RetentionPolicy } from "./backup-retention.ts";
import type { Schedules } from "./schedule.ts";
import type { Secret } from "./secret.ts";
import type { DrillSettings } from "./settings-drill.ts";

export type Compression = "zstd" | "gzip" | "none";

/** How an object is packed: compressed first, then encrypted in the `age` format. */
export interface Packing {
  readonly compression: Compression;
  readonly encrypted: boolean;
}

export interface DirectoryPlace {
  readonly kind: "directory";
  readonly directory: string;
}

export interface S3Place {
  readonly kind: "s3";
  readonly bucket: string;
  readonly region: string;
  /** Base URL of the service; undefined means Amazon's own for the region. */
  readonly endpoint: string | undefined;
  /** Folder of the bucket, without slashes at its ends; empty for none. */
  readonly prefix: string;
  readonly pathStyle: boolean;
  /** Undefined: from the environment or the host's role, as Amazon's tools find them. */
  readonly keys: S3Keys | undefined;
  readonly cafile: string | undefined;
}

export interface S3Keys {
  readonly accessKey: S3Key;
  readonly secretKey: S3Key;
}

/** Written down, or in a file of its own. */
export type S3Key =
  | { readonly kind: "text"; readonly text: Secret }
  | { readonly kind: "file"; readonly file: string };

export interface RepositorySettings {
  readonly name: string;
  readonly place: DirectoryPlace | S3Place;
  /** What it lies on, in the user's own word: two repositories with one word count as one kind for 3-2-1. */
  readonly storage: string;
  /** It survives the loss of the site where the database runs. */
  readonly offSite: boolean;
  /** PostgreSQL may forget WAL only when it is here; else WAL goes here too, and nobody waits for it. */
  readonly required: boolean;
  /** What stays when backups expire; absent: everything. */
  readonly retention?: Retention | undefined;
}

/** A kind without a policy stays forever. */
export interface Retention {
  readonly base: RetentionPolicy | undefined;
  readonly logical: RetentionPolicy | undefined;
}

export interface BackupSettings {
  readonly repositories: readonly RepositorySettings[];
  readonly compression: Compression;
  /** Public keys (`age1…`): whoever has the private one of any of them can read. Empty: nothing is encrypted. */
  readonly recipients: readonly string[];
  /** A file of private keys (`AGE-SECRET-KEY-1…`): only where backups are read, never needed to make them. */
  readonly identityFile: string | undefined;
  /** So much WAL may wait for the archive before the alarm says that the disk will fill; all of it is kept anyway. */
  readonly walBudgetBytes: number;
  readonly drill: DrillSettings;
  /** What runs by itself; absent: nothing. */
  readonly schedules?: Schedules | undefined;
}

/** Whose objects lie at a place, and in which form: `repository.json`, written once. */
export interface RepositoryIdentity {
  readonly format: 1;
  readonly scope: string;
  readonly namespace: string;
  readonly systemId: string;
  /** The consensus store that this cluster lives in, as it names itself; tells a clone from its original. */
  readonly storeId: string | undefined;
}

export const printIdentity = (identity: RepositoryIdentity): string =>
  `${JSON.stringify(identity, undefined, 2)}\n`;

/** Undefined when it is not a record of ours, or of a format that is newer than we are. */
export function parseIdentity(text: string): RepositoryIdentity | undefined {
  const read = jsonObject(text);
  if (read === undefined || read["format"] !== 1) return undefined;
  const { scope, namespace, systemId, storeId } = read;
  if (typeof scope !== "string" || typeof namespace !== "string" || typeof systemId !== "string")
    return undefined;
  return {
    format: 1,
    scope,
    namespace,
    systemId,
    storeId: typeof storeId === "string" ? storeId : undefined,
  };
}

/** Why the one must not write where the other's objects lie, whatever the store; undefined when names agree. */
export function whyForeign(
  mine: RepositoryIdentity,
  theirs: RepositoryIdentity,
): string | undefined {
  if (mine.systemId !== theirs.systemId)
    return `it belongs to the system ${theirs.systemId}, and this is ${mine.systemId}`;
  if (mine.scope !== theirs.scope || mine.namespace !== theirs.namespace)
    return `it belongs to ${theirs.namespace}/${theirs.scope}, and this is ${mine.namespace}/${mine.scope}`;
  return undefined;
}

/** A cluster of the same name and data in another store: a clone, or one whose store was lost and made anew. */
export const isOfOtherStore = (mine: RepositoryIdentity, theirs: RepositoryIdentity): boolean =>
  mine.storeId !== undefined && theirs.storeId !== undefined && mine.storeId !== theirs.storeId;

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null
      ? (read as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
