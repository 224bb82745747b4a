// What does `GET /understudy/status` carry? A stable contract: fields are only ever added.
import type { LagReport } from "../lag/report.ts";
import type { Health } from "../verdict.ts";
import type { WalReport } from "../wal-report.ts";
import type { VaultJson } from "./vault.ts";

/** Ages and spans are whole milliseconds, positions PostgreSQL's text, moments RFC 3339. */
export interface StatusJson {
  readonly apiVersion: "understudy/v1";
  readonly kind: "Status";
  readonly asOf: string;
  readonly scope: string;
  /** The member that answered. */
  readonly member: string;
  readonly health: Health;
  readonly sentence: string;
  readonly warnings: readonly string[];
  readonly cluster: StatusCluster;
  readonly members: readonly StatusMember[];
  /** Who lets clients in; absent while there is none. */
  readonly routers?: readonly StatusRouter[];
  /** The newest trouble that goes on or that nobody has acknowledged. */
  readonly incident?: { readonly id: string; readonly title: string };
  readonly node: StatusNode;
}

export interface StatusCluster {
  readonly leader?: string;
  readonly systemId?: string;
  readonly timeline?: number;
  readonly paused: boolean;
  /** Who paused it and why, since when and for how long; only what was said. */
  readonly pause?: {
    readonly by?: string;
    readonly reason?: string;
    readonly forMs?: number;
    readonly leftMs?: number;
  };
  /** The primary that a pause lets run without its fence, and since when; it outlasts the pause until it is guarded. */
  readonly unguarded?: { readonly member: string; readonly forMs?: number };
  /** The other site that the whole cluster follows. */
  readonly follows?: { readonly host: string; readonly port: number; readonly slot?: string };
  readonly ttlMs: number;
  /** How old the look at the store is; absent when there never was one. */
  readonly ageMs?: number;
  readonly storeTrouble?: string;
  readonly switchover?: { readonly at?: string; readonly from?: string; readonly to?: string };
}

export interface StatusMember {
  readonly name: string;
  readonly leads: boolean;
  readonly role: string;
  /** `sync_standby` or `quorum_standby` when commits rely on it. */
  readonly syncPart?: string;
  readonly state: string;
  readonly replicationState?: string;
  readonly host: string;
  readonly port: number;
  readonly apiUrl: string;
  readonly timeline?: number;
  readonly position?: string;
  readonly lagBytes?: number;
  readonly because?: string;
  /** Parameters that wait for a restart; `pendingRestartReason` has their values. */
  readonly pendingRestart: readonly string[];
  readonly pendingRestartReason: Readonly<Record<string, unknown>>;
  /** When the server is to be restarted, as it was written. */
  readonly scheduledRestart?: string;
  readonly tags: Readonly<Record<string, unknown>>;
}

export interface StatusRouter {
  readonly name: string;
  readonly apiUrl: string;
  /** By what is found there: `pgbouncer`, `haproxy write`, … */
  readonly addresses: Readonly<Record<string, string>>;
  readonly term: number;
  /** Where it sends writers. */
  readonly primary?: string;
  readonly because: string;
  /** Clients of a planned switchover: who kept a transaction open when one was last given up. */
  readonly blockers?: readonly string[];
}

/** What the answering member knows about itself. */
export interface StatusNode {
  readonly agent: string;
  readonly because?: {
    readonly reason: string;
    readonly sentence: string;
    readonly detail?: string;
    readonly forMs: number;
  };
  readonly job?: { readonly name: string; readonly progress?: string; readonly forMs: number };
  readonly lease?: {
    readonly term: number;
    readonly leftMs: number;
    readonly renewedAgoMs?: number;
  };
  readonly fence: {
    readonly alive: boolean;
    readonly armed: boolean;
    /** The server runs without a deadline, in a pause. */
    readonly unguarded?: boolean;
    readonly leftMs?: number;
    readonly roundTripMs?: number;
    readonly watchdog: string;
    readonly lacking: readonly string[];
  };
  readonly loop: {
    readonly lastTickAgoMs?: number;
    readonly lastTickMs?: number;
    readonly eventLoopDelayMs?: number;
  };
  readonly server: {
    readonly state: string;
    readonly version?: number;
    readonly startedAt?: string;
    readonly acceptsWrites: boolean;
    readonly ageMs?: number;
    /** host:port that the standby streams from. */
    readonly upstream?: string;
    readonly diskFreeBytes?: number;
    readonly binariesChanged: boolean;
  };
  /** What the leader of a standby cluster sees of the other site. */
  readonly site?: StatusSite;
  /** How replication stands on this member; absent while its server has not answered. */
  readonly lag?: LagReport;
  /** WAL on this member's disk; absent while its server has not answered. */
  readonly wal?: WalReport;
  /** How its WAL gets out; absent where no backups are configured. */
  readonly vault?: VaultJson;
  /** What the jobs that run by themselves do not do as they should; absent when they do. */
  readonly scheduleWarnings?: readonly string[];
  readonly slots: readonly StatusSlot[];
  /** What max_slot_wal_keep_size allows a slot to keep; absent where there is no limit. */
  readonly slotLimitBytes?: number;
  /** One sentence for each slot that somebody should look at. */
  readonly slotWarnings: readonly string[];
}

export interface StatusSite {
  readonly answers: boolean;
  /** Why it does not. */
  readonly why?: string;
  readonly takesWrites?: boolean;
  readonly timeline?: number;
  /** By how much this site was behind when it last answered, and how long ago that was. */
  readonly lagBytes?: number;
  readonly seenAgoMs?: number;
}

export interface StatusSlot {
  readonly name: string;
  readonly kind: string;
  /** member, away, permanent, ignored, temporary or unknown. */
  readonly use: string;
  readonly active: boolean;
  readonly idleMs?: number;
  readonly retainedBytes?: number;
  readonly restartLsn?: string;
  readonly confirmedLsn?: string;
  /** Of a standby's copy of a logical slot: whether it is safe to read from after a failover. */
  readonly isSafe?: boolean;
  readonly walStatus?: string;
  readonly database?: string;
  readonly plugin?: string;
  /** WAL that may yet be written before the server gives the slot up; absent without a limit. */
  readonly safeBytes?: number;
  /** Until that, and until the disk is full, at the present rate; only while nobody reads from it. */
  readonly lostInMs?: number;
  readonly fullInMs?: number;
  /** Copied to standbys by the server itself. */
  readonly failover?: boolean;
  /** What dropping it would cost its reader. */
  readonly dropCost?: string;
}
