// What can the ha room do? Every step is one verb with plain data; act.ts carries it out.
import type { AcquireBasis } from "../../model/acquire-basis.ts";
import type { ClusterStatus, HistoryRow, Hold, Release, Roster } from "../../model/cluster.ts";
import type { Lsn } from "../../model/lsn.ts";
import type { Member } from "../../model/member.ts";
import type { PermanentSlot } from "../../model/slot.ts";
import type { SyncNames, SyncState } from "../../model/sync.ts";
import type { Instant, Ms } from "../../model/time.ts";
import type { Branch, Lineage } from "../../model/timeline.ts";
import type { Unguarded } from "../../model/unguarded.ts";
import type { ServerPlan, SlotMove, Upstream } from "../../ports/postgres.ts";

/** Upkeep: harmless to repeat, may fail without changing what we are. */
export type HaUpkeep =
  | { readonly kind: "ensure-fence" }
  | { readonly kind: "disarm" }
  | { readonly kind: "publish"; readonly member: Member }
  | { readonly kind: "write-status"; readonly term: number; readonly status: ClusterStatus }
  | { readonly kind: "write-history"; readonly term: number; readonly rows: readonly HistoryRow[] }
  | {
      readonly kind: "record-fork";
      readonly term: number;
      readonly branches: readonly Branch[];
      readonly revision: number;
    }
  | {
      readonly kind: "write-roster";
      readonly term: number;
      readonly roster: Roster;
      readonly revision: number;
    }
  | { readonly kind: "clear-failover"; readonly revision: number }
  /** `json` is the configuration without the pause, compared with the revision that held it. */
  | { readonly kind: "end-pause"; readonly json: string; readonly revision: number }
  /** The key has been deleted: what the leader goes by is written again. */
  | { readonly kind: "restore-config"; readonly json: string; readonly revision: 0 }
  | { readonly kind: "apply-settings"; readonly plan: ServerPlan }
  | SetSyncNames
  | { readonly kind: "record-lineage"; readonly lineage: Lineage }
  | {
      readonly kind: "sync-slots";
      readonly create: readonly string[];
      readonly drop: readonly string[];
      readonly positions: Readonly<Record<string, Lsn>>;
    }
  /** The name was typed by a person. */
  | { readonly kind: "drop-slot"; readonly name: string }
  | { readonly kind: "advance-copies"; readonly moves: readonly SlotMove[] }
  | { readonly kind: "compare-slots"; readonly from: Upstream; readonly ownSlot: string }
  | { readonly kind: "create-logical-slots"; readonly slots: readonly PermanentSlot[] }
  | { readonly kind: "checkpoint" };

/** For whom a commit waits, written and reloaded. */
interface SetSyncNames {
  readonly kind: "set-sync-names";
  readonly names: SyncNames;
}

/** Steps: at most one a tick. Those with a term are refused when the lease has moved or is about to end. */
export type HaChange =
  | { readonly kind: "claim-bootstrap" }
  | { readonly kind: "initialise"; readonly plan: ServerPlan }
  /** The first member of a cluster that follows another site; bootstrapping until the store knows it. */
  | { readonly kind: "copy-site"; readonly from: Upstream; readonly lineage: Lineage }
  /** A copy has its roles from where it was made. */
  | {
      readonly kind: "finish-bootstrap";
      readonly term: number;
      readonly systemId: string;
      /** By which the data has come; told to the store where they are more than the first. */
      readonly branches: Lineage;
      readonly isCopy: boolean;
    }
  | { readonly kind: "end-bootstrap" }
  | { readonly kind: "discard-bootstrap" }
  | { readonly kind: "clone"; readonly from: Upstream; readonly lineage: Lineage }
  | { readonly kind: "rewind"; readonly from: Upstream; readonly lineage: Lineage }
  | {
      readonly kind: "start-standby";
      readonly plan: ServerPlan;
      readonly upstream: Upstream | undefined;
      readonly timeoutMs: Ms;
    }
  | {
      readonly kind: "start-primary";
      readonly plan: ServerPlan;
      readonly term: number;
      readonly timeoutMs: Ms;
    }
  /** Restarts the standby with copies of the leader's logical slots. */
  | {
      readonly kind: "copy-slots";
      readonly from: Upstream;
      readonly names: readonly string[];
      readonly plan: ServerPlan;
      readonly upstream: Upstream;
      readonly timeoutMs: Ms;
    }
  /** Copies that must not be read from go before this server leads. */
  | { readonly kind: "drop-copies"; readonly names: readonly string[] }
  /** Clean stop; with an heir it waits, bounded, until that member has the last byte. */
  | { readonly kind: "stop"; readonly timeoutMs: Ms; readonly heirApiUrl: string | undefined }
  /** R1: ends every process of the server, at once. */
  | { readonly kind: "kill" }
  /** R33: no commit is acknowledged any more, proven on every process of the server; and again. */
  | { readonly kind: "close-gate" }
  | { readonly kind: "open-gate" }
  | { readonly kind: "follow"; readonly upstream: Upstream | undefined }
  /** R30: the record, then the word to the fence; and back, the deadline before the record goes. */
  | {
      readonly kind: "record-unguarded";
      readonly term: number;
      readonly record: Unguarded;
      readonly revision: number;
    }
  | { readonly kind: "unguard"; readonly term: number }
  | { readonly kind: "guard" }
  | { readonly kind: "clear-unguarded"; readonly revision: number }
  | { readonly kind: "find-crash-end"; readonly from: Lsn; readonly lineage: Lineage }
  | {
      readonly kind: "reserve";
      readonly term: number;
      readonly branches: readonly Branch[];
      readonly revision: number;
    }
  | {
      readonly kind: "promote";
      readonly term: number;
      readonly branch: Branch;
      readonly timeoutMs: Ms;
    }
  | SetSyncNames
  /** R20: asks every process of the server whether the gate is closed. */
  | { readonly kind: "prove-gate" }
  | {
      readonly kind: "write-sync";
      readonly term: number;
      readonly state: SyncState | undefined;
      readonly revision: number;
    }
  /** R22: the promise first, on disk; then the walreceiver is ended and seen gone. */
  | { readonly kind: "revoke"; readonly term: number }
  | { readonly kind: "acquire"; readonly basis: AcquireBasis }
  | {
      readonly kind: "adopt";
      readonly term: number;
      readonly sentAt: Instant;
      readonly seq: number;
    }
  | { readonly kind: "release"; readonly term: number; readonly release: Release }
  | { readonly kind: "drop-lease"; readonly why: string }
  | { readonly kind: "remove-stale-leader"; readonly term: number; readonly hold: Hold };

export type HaStep = HaUpkeep | HaChange;

const LONG: ReadonlySet<HaStep["kind"]> = new Set([
  "initialise",
  "copy-site",
  "clone",
  "rewind",
  "start-standby",
  "start-primary",
  "copy-slots",
  "stop",
  "promote",
]);

/** Steps that run in the job slot while the loop goes on. */
export const isLong = (step: HaStep): boolean => LONG.has(step.kind);
