// The port to the server on this host: its files, its processes, its SQL.

import type { Address } from "../model/address.ts";
import type { Lsn } from "../model/lsn.ts";
import type { LocalServer } from "../model/server.ts";
import type { RemoteSite, StandbyCluster } from "../model/site.ts";
import type { PermanentSlot } from "../model/slot.ts";
import type { SyncNames } from "../model/sync.ts";
import type { Ms } from "../model/time.ts";
import type { Branch, Lineage } from "../model/timeline.ts";

/** Where to copy or stream from, and which slot is ours there. */
export interface Upstream extends Address {
  readonly member: string;
  readonly slot: string | undefined;
  /** It belongs to another site, whose members may have the same names as ours. */
  readonly isOtherSite?: boolean;
}

/** The settings that the server should have now; `postgresql.conf` and the command line are derived from it. */
export interface ServerPlan {
  /** Cluster-wide parameters, then the node's own; the managed ones are added by the adapter. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly pgHba: readonly string[];
  /** Empty means the node's own. */
  readonly pgIdent: readonly string[];
  readonly members: number;
}

/** A logical slot as it lies on the disk of the server that it was made on. */
export interface SlotCopy {
  readonly name: string;
  readonly state: Uint8Array;
}

/** How far a copy of a logical slot shall go; only a session in the slot's database can move it. */
export interface SlotMove {
  readonly name: string;
  readonly database: string;
  readonly to: Lsn;
}

/** From where on another server keeps catalog rows: for our walreceiver's slot, and for each logical slot. */
export interface CatalogHorizons {
  readonly own: number | undefined;
  readonly logical: Readonly<Record<string, number>>;
}

/** Progress of a clone or rewind, for people. */
export interface Progress {
  readonly phase: string;
  readonly doneBytes: number | undefined;
  readonly totalBytes: number | undefined;
}

export type CrashEnd =
  /** Exact end of the last valid record on disk (R24), on this branch. */
  { readonly kind: "end"; readonly lsn: Lsn } | { readonly kind: "unknown"; readonly why: string };

/** Whether the closed gate holds; `end` is the WAL end of a moment at which it did: every commit before it is older. */
export type ClosedGate =
  | { readonly kind: "closed"; readonly end: Lsn }
  | { readonly kind: "unproven"; readonly why: string };

/**
 * Verbs are idempotent where they can be, bounded by their timeout, and fail with AppErrors (PG_…).
 * None of them decides anything.
 */
export interface Postgres {
  /** One look at directory, control file, processes and SQL. Never throws, bounded by `timeoutMs`. */
  observe(plan: ServerPlan, timeoutMs: Ms): Promise<LocalServer>;

  /**
   * Makes a cluster's data in an empty directory, by initdb or as the node's file says; leaves the server down and
   * standby.signal absent, and records the branches by which the data has come.
   */
  initialise(
    plan: ServerPlan,
    onProgress: (p: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Runs post_bootstrap and creates the roles that are missing, on the running primary. */
  finishBootstrap(signal: AbortSignal): Promise<void>;
  /** pg_basebackup into a sibling, verified, then renamed into place (R32); records `lineage`. */
  clone(
    from: Upstream,
    lineage: Lineage,
    onProgress: (p: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** pg_rewind under a marker (R32), then standby.signal; records `lineage`. PG_REWIND_FAILED when it can't. */
  rewind(
    from: Upstream,
    lineage: Lineage,
    onProgress: (p: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Removes half a bootstrap of our own making (a failed claim, R41). */
  discardHalfBootstrap(signal: AbortSignal): Promise<void>;

  /** Starts as a standby of `upstream` (or of nobody), writing standby.signal first (R16). Resolves when it accepts connections. */
  startStandby(
    plan: ServerPlan,
    upstream: Upstream | undefined,
    timeoutMs: Ms,
    signal: AbortSignal,
  ): Promise<void>;
  /** The one start without standby.signal (R16). Resolves when it accepts writes. */
  startPrimary(plan: ServerPlan, timeoutMs: Ms, signal: AbortSignal): Promise<void>;
  /**
   * Stops new and running writes of clients (bounded), CHECKPOINT, fast stop, waits for "shut down" in the control
   * file, ends the remaining walsenders (R26, R36). `onShutdown` gets the end of WAL as soon as it is final.
   */
  stop(
    timeoutMs: Ms,
    onShutdown: ((end: Lsn) => Promise<void>) | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  /** CHECKPOINT on a running primary, so that the stop's own one is short. */
  checkpoint(signal: AbortSignal): Promise<void>;

  /** Looks at the server of another site over a replication connection. PG_SQL_FAILED, PG_SQL_TIMEOUT when it can't. */
  lookAtSite(site: StandbyCluster, timeoutMs: Ms): Promise<RemoteSite>;

  /** Points a running standby at another upstream, by reload. */
  follow(upstream: Upstream | undefined, signal: AbortSignal): Promise<void>;
  /** Asks the user's own command whether this server may be promoted. HOOK_REFUSED when it says no or too little in time. */
  beforePromote(signal: AbortSignal): Promise<void>;
  /**
   * Promotes to exactly `branch.timeline` (R18) and records it (R19). Answers the branch with the fork position that
   * the server's own history file names. PG_TIMELINE_WRONG after an immediate stop otherwise.
   */
  promote(branch: Branch, timeoutMs: Ms, signal: AbortSignal): Promise<Branch>;
  /** Writes the lineage record beside the data (R19). */
  recordLineage(lineage: Lineage, signal: AbortSignal): Promise<void>;

  /** Writes parameters and pg_hba of the plan and reloads a running server. */
  applySettings(plan: ServerPlan, signal: AbortSignal): Promise<void>;
  /**
   * Writes which standbys a commit waits for, beside the other files and stronger than any of them, and reloads.
   * Resolves when a session shows it, which proves nothing about the other processes. A server that is down finds it at
   * its start.
   */
  setSyncNames(names: SyncNames, signal: AbortSignal): Promise<void>;
  /**
   * With the closed gate set: proves that no commit of anybody is acknowledged any more (R20). A commit of our own waits
   * in SyncRep, and no walsender goes by older names.
   */
  proveClosed(timeoutMs: Ms, signal: AbortSignal): Promise<ClosedGate>;
  /**
   * Creates missing physical slots and records them as ours, drops the named superfluous ones, advances the rest to
   * `positions` where behind. An active slot is neither dropped nor advanced.
   */
  syncSlots(
    create: readonly string[],
    drop: readonly string[],
    positions: Readonly<Record<string, Lsn>>,
    signal: AbortSignal,
  ): Promise<void>;

  /** Creates those that are missing on the running primary; tries all of them before it fails for one. */
  createLogicalSlots(slots: readonly PermanentSlot[], signal: AbortSignal): Promise<void>;

  /** Reads logical slots from the leader's disk, to be placed here; a slot that is not there is left out. */
  readSlots(
    from: Upstream,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly SlotCopy[]>;
  /** Puts copies in place, whole or not at all. Only when the server is down: it reads them when it starts. */
  placeSlots(copies: readonly SlotCopy[], signal: AbortSignal): Promise<void>;
  /** Moves copies on this standby forward: never beyond what it has replayed, never back. */
  advanceCopies(moves: readonly SlotMove[], signal: AbortSignal): Promise<void>;
  /** What the leader keeps for the readers of its slots. `ownSlot` is ours there. */
  catalogHorizons(from: Upstream, ownSlot: string, signal: AbortSignal): Promise<CatalogHorizons>;

  /** Drops an idle slot of any kind, whoever made it: only for a name that a person typed. */
  dropSlot(name: string, signal: AbortSignal): Promise<void>;

  /** WAL end of a crashed server, scanned from the segment of `from` (R24). Only when the server is down. */
  crashEnd(from: Lsn, lineage: Lineage, timeoutMs: Ms, signal: AbortSignal): Promise<CrashEnd>;
}
