// What does the PostgreSQL server on this host look like right now?

import type { Known } from "./known.ts";
import type { Lsn } from "./lsn.ts";
import type { SyncNames } from "./sync.ts";
import type { Instant } from "./time.ts";
import type { Lineage } from "./timeline.ts";

/** What lies in the data directory. `marked`: a rewind, clone or restore was begun and never finished (R32). */
export type DirectoryState = "missing" | "empty" | "data" | "foreign" | "marked";

/** What the control file says; read straight from disk, it needs no running server. */
export interface ControlData {
  readonly systemId: string;
  readonly catalogVersion: number;
  readonly state:
    | "starting up"
    | "shut down"
    | "shut down in recovery"
    | "shutting down"
    | "in crash recovery"
    | "in archive recovery"
    | "in production";
  readonly timeline: number;
  /** Start of the last checkpoint record. */
  readonly checkpointLsn: Lsn;
  /** End of that record, when it could be read from the WAL: after a clean stop, the end of all WAL. */
  readonly checkpointEnd: Lsn | undefined;
}

/** Whether a new connection gets any answer; `hung` needs the proof of R39, `stopped` is the kernel's state T. */
/** `failing`: it answers new sessions, and with an error that no client could get past. */
export type Accepting = "yes" | "starting" | "failing" | "hung" | "stopped";

/** The processes. `orphans`: no postmaster, yet backends or shared memory remain: it can still acknowledge (R2). */
export type ServerProcess =
  | { readonly kind: "down" }
  | { readonly kind: "orphans"; readonly count: number }
  | {
      readonly kind: "running";
      readonly pid: number;
      readonly accepting: Accepting;
      /** Started by our fence, with its parent-death signal. A stranger's server is not guarded (R17). */
      readonly guarded: boolean;
      readonly startedAt: Instant;
    };

export interface WalReceiver {
  readonly status: string;
  readonly host: string;
  readonly port: number;
  readonly slot: string;
  readonly flushedLsn: Lsn | undefined;
  readonly timeline: number;
}

/** One row of pg_stat_replication. */
export interface WalSender {
  readonly name: string;
  readonly state: string;
  readonly sentLsn: Lsn | undefined;
  readonly writeLsn: Lsn | undefined;
  readonly flushLsn: Lsn | undefined;
  readonly replayLsn: Lsn | undefined;
  readonly syncState: string;
  /** Its place among the names that this walsender itself has read: 0 when it releases no commit. */
  readonly syncPriority: number;
  readonly clientAddress: string;
  readonly user: string;
}

export interface SlotState {
  readonly name: string;
  readonly kind: "physical" | "logical";
  readonly active: boolean;
  readonly restartLsn: Lsn | undefined;
  /** reserved, extended, unreserved or lost; empty when the slot keeps no WAL. */
  readonly walStatus: string;
  /** Belongs to one connection and goes with it: a running base backup has one. */
  readonly temporary: boolean;
  /** The oldest transaction whose catalog rows are kept for its reader; undefined when it keeps none. */
  readonly catalogXmin: number | undefined;
  /** What only a logical slot has. */
  readonly logical: LogicalSlot | undefined;
}

export interface LogicalSlot {
  readonly database: string;
  readonly plugin: string;
  readonly confirmedLsn: Lsn | undefined;
}

export interface PendingRestart {
  readonly parameter: string;
  readonly oldValue: string;
  readonly newValue: string;
}

/** What the running server answers about itself. */
export interface SqlState {
  readonly version: number;
  readonly inRecovery: boolean;
  /** The level of WAL that the server was started with; logical slots need "logical". */
  readonly walLevel: string;
  readonly timeline: number;
  /** Primary: end of flushed WAL. Standby: the position by R23, max(flushed by the walreceiver, replayed). */
  readonly position: Lsn;
  readonly receivedLsn: Lsn | undefined;
  readonly replayedLsn: Lsn | undefined;
  readonly replayedAtText: string | undefined;
  /** A standby's local WAL is exhausted: replay has reached its end, or the walreceiver has streamed since start (R23). */
  readonly exhausted: boolean;
  readonly replayPaused: boolean;
  readonly walReceiver: WalReceiver | undefined;
  readonly senders: readonly WalSender[];
  readonly slots: readonly SlotState[];
  /** max_slot_wal_keep_size in bytes; undefined where slots may keep WAL without limit. */
  readonly slotLimitBytes: number | undefined;
  readonly pendingRestart: readonly PendingRestart[];
  readonly startedAtText: string;
  /** Since when its processes share this memory: another text while the pid is the same means that it reset itself. */
  readonly sharedSinceText: string;
  /** `synchronous_standby_names` as this very session has it; other processes may still have an older one (R21). */
  readonly syncNames: string;
  /** The upstream that primary_conninfo names, as host:port, or undefined when it names none. */
  readonly upstream: string | undefined;
}

/** So little room left on a disk, in bytes, that a failure to write is its most likely consequence. */
export const isTooLittle = (freeBytes: number): boolean => freeBytes < 16 * 1024 * 1024;

/** Everything known about this node's server at one look. */
export interface LocalServer {
  readonly directory: DirectoryState;
  readonly control: ControlData | undefined;
  readonly process: ServerProcess;
  readonly sql: Known<SqlState>;
  /** Our own record beside the data (R19); empty when there is no data or no record. */
  readonly lineage: Lineage;
  /** True when standby.signal lies in the directory. */
  readonly standbySignal: boolean;
  /** The parameters on disk differ from what the configuration asks for. */
  readonly settingsStale: boolean;
  /** Which standbys a commit waits for, as it was last written for this server. */
  readonly syncNames: SyncNames;
  /** The installed server programs are newer than the ones running. */
  readonly binariesChanged: boolean;
  /** Bytes free on the data directory's file system. */
  readonly diskFreeBytes: number | undefined;
  /** Size of that file system. */
  readonly diskBytes: number | undefined;
  /** Slots that this agent created here, by our own record beside the data; only these are ever dropped unasked. */
  readonly ownSlots: readonly string[];
}
