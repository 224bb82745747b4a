// What do a worker and the command line say to each other about backups? Plain JSON, positions as PostgreSQL's text.

/** A backup as it is listed: what people and programs see of a record. */
export interface ListedBackup {
  readonly id: string;
  readonly label: string;
  readonly repo: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly startedAtMs: number;
  readonly tookMs: number;
  readonly takenOn: string;
  readonly takenFrom: "primary" | "standby";
  readonly version: string;
  readonly timeline: number;
  readonly startLsn: string;
  readonly stopLsn: string;
  readonly dataBytes: number;
  readonly storedBytes: number;
  readonly tablespaces: readonly { readonly oid: string; readonly path: string }[];
  readonly packing: string;
  /** The last time that it was read back; undefined: only compared while it was taken. */
  readonly verified?: ListedVerification;
}

export interface ListedVerification {
  readonly at: string;
  readonly atMs: number;
  readonly depth: "content" | "stored";
  readonly outcome: "passed" | "failed";
  readonly why?: string;
}

/** What was found in the WAL that leads on from a backup. */
export interface ListedWalVerdict {
  readonly segments: number;
  readonly endLsn: string;
  readonly damaged: readonly { readonly name: string; readonly why: string }[];
}

export interface BackupList {
  readonly repo: string;
  readonly items: readonly ListedBackup[];
  /** Begun and not whole: being taken, or left by a run that died. */
  readonly unfinished: readonly string[];
  /** Records that cannot be read. */
  readonly unreadable: readonly string[];
  /** Their removal was begun. */
  readonly expiring: readonly string[];
}

/** What the worker can be asked. */
export type WorkRequest =
  | {
      readonly do: "take";
      readonly repo?: string;
      readonly label: string;
      readonly maxRateKb?: number;
    }
  | { readonly do: "list"; readonly repo?: string }
  | {
      readonly do: "verify";
      readonly repo?: string;
      readonly id?: string;
      /** The WAL that leads on from it as well. */
      readonly wal?: boolean;
    }
  | ({ readonly do: "restore" } & RestoreWish);

export interface RestoreWish {
  readonly repo?: string;
  readonly id?: string;
  /** The cluster's, where neither data nor the repository tells which one is meant. */
  readonly systemId?: string;
  readonly targetDir: string;
  readonly to: WishedTarget;
  /** Undefined: the newest that continues the backup's. */
  readonly timeline?: number;
  readonly tablespaces: Readonly<Record<string, string>>;
  readonly action: "promote" | "pause" | "shutdown";
  readonly isPreview: boolean;
  readonly identityFile?: string;
}

/** As it was written; what it means is the worker's to say. */
export type WishedTarget =
  | { readonly kind: "backup" | "latest" }
  | { readonly kind: "time" | "lsn" | "xid" | "name"; readonly at: string };

/** What a restore will do, or has done. */
export interface RestorePreview {
  readonly repo: string;
  readonly backup: ListedBackup;
  readonly targetDir: string;
  readonly target: string;
  readonly timeline: number;
  /** Segments that are fetched besides the backup. */
  readonly walSegments: number;
  /** Behind the last WAL that is there without a hole; absent when none is beyond the backup. */
  readonly walEndLsn?: string;
  readonly neededBytes: number;
  readonly freeBytes?: number;
  /** The last drill of this backup, if its proof is to be believed. */
  readonly drill?: {
    readonly id: string;
    readonly atMs: number;
    readonly outcome: "passed" | "failed";
  };
  /** About so long, as its drill took, else judged by how long the backup took; replaying WAL comes on top. */
  readonly estimateMs: number;
  /** For people: what lies behind the target and will not be there. */
  readonly lost: string;
}

export type WorkAnswer =
  | { readonly did: "take"; readonly backup: ListedBackup }
  | { readonly did: "list"; readonly list: BackupList }
  | {
      readonly did: "verify";
      readonly id: string;
      readonly verification: ListedVerification;
      readonly wal?: ListedWalVerdict;
    }
  | { readonly did: "restore"; readonly preview: RestorePreview };
