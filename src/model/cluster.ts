// What does the consensus store say about the cluster, in one consistent look?

import type { DynamicConfig } from "./config.ts";
import type { Lsn } from "./lsn.ts";
import type { Member } from "./member.ts";
import type { RouterStatus } from "./route.ts";
import type { Succession } from "./succession.ts";
import type { SyncState } from "./sync.ts";
import type { Ms } from "./time.ts";
import type { Branch } from "./timeline.ts";
import type { Unguarded } from "./unguarded.ts";

/** The store's own identity and position at the time of the answer (R31, R40). */
export interface StoreHeader {
  readonly clusterId: string;
  readonly revision: number;
  readonly raftTerm: number;
}

/** The `leader` key. `term` is its creation revision; `leaseId` the lease it hangs on. */
export interface Leader {
  readonly name: string;
  readonly term: number;
  readonly leaseId: string;
}

/** Given up on purpose, to nobody in particular or to an heir who must have flushed `minLsn` (R25). */
export interface Release {
  readonly heir: string | undefined;
  readonly minLsn: Lsn | undefined;
}

/** The `hold` key: the holder's sign of life, which outlives the leader key (R5). */
export interface Hold {
  readonly holder: string;
  readonly term: number;
  readonly seq: number;
  readonly holdMs: Ms;
  readonly released: Release | undefined;
  readonly modRevision: number;
}

/** The `failover` key: what a person asked for. `leader` present means a switchover, else a failover. */
export interface FailoverIntent {
  readonly leader: string | undefined;
  readonly candidate: string | undefined;
  /** RFC 3339 text of a scheduled switchover. */
  readonly scheduledAt: string | undefined;
  /** Wall-clock milliseconds of scheduledAt, or undefined when it is for now. */
  readonly scheduledAtMs: number | undefined;
}

/** The `status` key: the leader's last published WAL end and the slots to keep. */
export interface ClusterStatus {
  readonly position: Lsn | undefined;
  readonly slots: Readonly<Record<string, Lsn>>;
  /** Slots of members that are away, and for how long they have been, in whole minutes (a duration: T1). */
  readonly absentMs: Readonly<Record<string, Ms>>;
}

/** One row of the `history` key in Patroni's form: `timeline` ended at `lsn`. */
export interface HistoryRow {
  readonly timeline: number;
  readonly lsn: Lsn;
  readonly reason: string;
  readonly at: string | undefined;
  readonly newLeader: string | undefined;
}

/** A value and the revision it was read at: the compare of every later write. Revision 0 means absent. */
export interface Versioned<T> {
  readonly value: T;
  readonly modRevision: number;
}

/** Members by name with the addresses of their agents: who may race (R28). */
export type Roster = Readonly<Record<string, string>>;

export interface ClusterSnapshot {
  readonly header: StoreHeader;
  /** System identifier of the cluster; undefined before bootstrap. */
  readonly initialize: Versioned<string | undefined>;
  readonly config: Versioned<DynamicConfig | undefined>;
  /** Why the stored configuration was adjusted or refused, for people; empty when it is fine. */
  readonly configWarnings: readonly string[];
  readonly leader: Leader | undefined;
  readonly hold: Hold | undefined;
  readonly members: readonly Member[];
  readonly failover: Versioned<FailoverIntent | undefined>;
  readonly status: Versioned<ClusterStatus>;
  readonly history: Versioned<readonly HistoryRow[]>;
  /** Reserved timelines, oldest first (R18). */
  readonly lineage: Versioned<readonly Branch[]>;
  /** Who may win an election while synchronous replication is on; undefined when it is off. */
  readonly sync: Versioned<SyncState | undefined>;
  /** Only these may race; while no leader has written the list, everybody may (R28). */
  readonly roster: Versioned<Roster | undefined>;
  /** The routers that are alive, in the order of names. */
  readonly routers: readonly RouterStatus[];
  /** Whose server a pause has let run without a deadline (R30). */
  readonly unguarded: Versioned<Unguarded | undefined>;
  /** Present where this store continues one that was lost (R31). */
  readonly succession: Versioned<Succession | undefined>;
}

export const memberNamed = (cluster: ClusterSnapshot, name: string): Member | undefined =>
  cluster.members.find((m) => m.name === name);

/** The part of a standby in synchronous replication, in Patroni's words; undefined when commits do not rely on it. */
export function syncPartOf(
  cluster: ClusterSnapshot,
  name: string,
): "sync_standby" | "quorum_standby" | undefined {
  if (cluster.sync.value?.standbys.includes(name) !== true) return undefined;
  return cluster.config.value?.synchronousMode === "quorum" ? "quorum_standby" : "sync_standby";
}
