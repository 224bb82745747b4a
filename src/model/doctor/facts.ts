// What does the doctor know about one node? Gathered on its host, carried as JSON, judged anywhere.

import type { DrillMemory } from "../drill-memory.ts";
import type { Blocking } from "../maintenance/blocking.ts";

/** Facts that could be read, or why they could not: what nobody saw is never taken for healthy. */
export type Gathered<T> =
  | { readonly kind: "seen"; readonly facts: T }
  | { readonly kind: "unseen"; readonly why: string };

export interface NodeFacts {
  readonly name: string;
  readonly scope: string;
  /** This host's wall clock at the start of the look. */
  readonly wallMs: number;
  /** By how much it is ahead of the clock of who asked, as far as that is certain. */
  readonly clockAheadMs: number;
  readonly host: Gathered<HostFacts>;
  /** Undefined on a node that is only a router. */
  readonly ground: GroundFacts | undefined;
  readonly postgres: Gathered<PostgresFacts> | undefined;
  readonly store: readonly StoreEndpointFacts[];
  readonly peers: readonly PeerFacts[];
  readonly security: SecurityFacts;
  readonly backup: BackupFacts;
  /** How backups are kept; undefined where none are configured. */
  readonly keeping?: KeepingFacts | undefined;
}

export interface HostFacts {
  readonly memoryBytes: number;
  /** What a control group allows; undefined without a limit. */
  readonly memoryLimitBytes: number | undefined;
  readonly swapBytes: number;
  readonly swappiness: number;
  /** 0 heuristic, 1 always, 2 never more than there is. */
  readonly overcommitMemory: number;
  readonly transparentHugePages: string;
  readonly hugePagesFree: number;
  /** Undefined where nobody can be asked. */
  readonly isClockSynchronised: boolean | undefined;
  /** Of the running server, else of who looks. */
  readonly openFilesLimit: number | undefined;
  /** Of the running server: what the kernel adds when it looks for a victim. */
  readonly oomScoreAdjustment: number | undefined;
}

export interface DiskFacts {
  readonly path: string;
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly freeFiles: number;
  /** Which file system it is: two paths with one number share their room. */
  readonly device: number;
}

/** What a server needs before it can start. */
export interface GroundFacts {
  readonly isRunning: boolean;
  readonly dataDir: string;
  readonly holdsCluster: boolean;
  /** Major version of the data directory. */
  readonly dataMajor: number | undefined;
  /** Permission bits; undefined when it is not there yet. */
  readonly dataMode: number | undefined;
  /** Major version of the programs found; undefined when there are none. */
  readonly programMajor: number | undefined;
  readonly programTrouble: string;
  readonly disks: readonly DiskFacts[];
  /** Addresses that we must listen on and that somebody else has; looked at only while nothing of ours runs. */
  readonly takenAddresses: readonly string[];
}

export interface PostgresFacts {
  /** As a number: 150008. */
  readonly version: number;
  readonly inRecovery: boolean;
  /** `pg_settings`, by name: plain numbers in the setting's own unit, or words. */
  readonly settings: Readonly<Record<string, string>>;
  readonly pendingRestart: readonly string[];
  readonly sharedBuffersBytes: number;
  readonly workMemBytes: number;
  readonly connections: number;
  readonly maxConnections: number;
  /** Roles whose password is kept in the old form. */
  readonly md5Roles: readonly string[];
  /** Rules of pg_hba.conf that let in more than they should, in words. */
  readonly openHbaRules: readonly string[];
  readonly hbaErrors: readonly string[];
  /** The oldest transaction that does nothing, in seconds; undefined when there is none. */
  readonly idleInTransaction: Waiting | undefined;
  readonly longestTransaction: Waiting | undefined;
  readonly preparedTransactions: Waiting | undefined;
  readonly archiver: ArchiverFacts;
  /** Maintenance that keeps clients waiting now. */
  readonly blocking: readonly Blocking[];
  readonly databases: readonly DatabaseFacts[];
  /** Databases that were not looked into, because there are so many. */
  readonly databasesLeftOut: number;
}

export interface Waiting {
  readonly seconds: number;
  readonly count: number;
  /** Who it is, in words. */
  readonly who: string;
}

export interface ArchiverFacts {
  readonly isFailing: boolean;
  readonly lastFailed: string;
  readonly failedForSeconds: number;
}

export interface DatabaseFacts {
  readonly name: string;
  /** Transactions since the oldest one that is not frozen yet. */
  readonly frozenAge: number;
  readonly multixactAge: number;
  readonly collation: CollationFacts | undefined;
  /** Undefined where the inside could not be read. */
  readonly inside: DatabaseInside | undefined;
  readonly insideTrouble: string;
}

/** The version that the data was sorted by, and the one of this host; both empty where the provider has none. */
export interface CollationFacts {
  readonly recorded: string;
  readonly actual: string;
}

export interface DatabaseInside {
  readonly tablesWithoutKey: readonly string[];
  readonly unloggedTables: readonly string[];
  /** `name (87 %)` */
  readonly sequencesNearEnd: readonly string[];
  /** Extensions in use whose files this host lacks. */
  readonly extensionsMissing: readonly string[];
  readonly collationsChanged: readonly string[];
  readonly invalidIndexes: readonly string[];
  readonly pool: readonly PoolTracesFrom[];
}

/** What sessions left on connections of a pooler that hands them on. */
export interface PoolTracesFrom {
  readonly router: string;
  readonly mode: "transaction" | "statement";
  readonly poolerVersion: string;
  readonly advisoryLocks: number;
  readonly temporaryTables: number;
  readonly listening: number;
  readonly settings: number;
}

export interface StoreEndpointFacts {
  readonly endpoint: string;
  readonly isEncrypted: boolean;
  /** Empty when it answers. */
  readonly trouble: string;
  /** Median of a few requests. */
  readonly latencyMs: number;
  readonly version: string;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly hasLeader: boolean;
  readonly members: number;
  readonly alarms: readonly string[];
}

export interface PeerFacts {
  readonly name: string;
  /** `rest` or `postgres`. */
  readonly door: "rest" | "postgres";
  readonly address: string;
  /** Empty when it takes connections. */
  readonly trouble: string;
  readonly latencyMs: number;
}

export interface SecurityFacts {
  /** Files with secrets that others can read: path and permission bits. */
  readonly looseFiles: readonly LooseFile[];
  readonly restHasPassword: boolean;
  readonly restIsEncrypted: boolean;
  readonly restIsLimited: boolean;
  /** Only this host can reach it. */
  readonly restIsLocal: boolean;
  readonly storeHasPassword: boolean;
}

export interface LooseFile {
  readonly path: string;
  readonly mode: number;
}

/** Whom the agent knows of; nobody before its first start. */
export interface Surroundings {
  readonly peers: readonly Pick<PeerFacts, "name" | "door" | "address">[];
  readonly routers: readonly { readonly name: string; readonly apiUrl: string }[];
  /** What lies in the repositories. */
  readonly held?: readonly HeldFacts[];
}

export interface KeepingFacts {
  /** Repositories that only grow. */
  readonly withoutRetention: readonly string[];
  /** Base backups are made by themselves. */
  readonly isScheduled: boolean;
  /** As the node's vault worker saw the repositories last; empty when it has not. */
  readonly held: readonly HeldFacts[];
}

export interface HeldFacts {
  readonly name: string;
  readonly backups: number;
  /** Milliseconds since 1970; absent when there is none. */
  readonly newestAtMs?: number;
  readonly verifiedAtMs?: number;
}

export interface BackupFacts {
  readonly isConfigured: boolean;
  readonly repositories: readonly string[];
  /** Absent where none is configured. */
  readonly drill?: DrillFacts;
}

/** What this member remembers of its own drills. */
export interface DrillFacts extends Partial<DrillMemory> {
  readonly oldAfterMs: number;
}
