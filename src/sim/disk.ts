// What survives on one host's disk? The data directory and our own small files beside it.
import type { ControlData, DirectoryState } from "../model/server.ts";
import type { SyncNames } from "../model/sync.ts";
import type { Branch } from "../model/timeline.ts";
import type { NodeState } from "../ports/node-state.ts";
import type { HiddenBranch } from "./wal.ts";

export interface SimSlot {
  readonly name: string;
  restart: number;
  readonly logical?: { readonly database: string; readonly plugin: string };
}

/** The contents of a complete data directory. `id` changes with every copy: a copy is another writer. */
export interface DataDirectory {
  readonly id: number;
  readonly systemId: string;
  branch: HiddenBranch;
  /** End of WAL on disk (what a dead process leaves), and of what is flushed (what a dead host leaves). */
  end: number;
  flushed: number;
  control: {
    state: ControlData["state"];
    timeline: number;
    checkpoint: number;
    checkpointEnd: number | undefined;
  };
  standbySignal: boolean;
  /** Timelines whose history file lies in pg_wal. */
  readonly historyFiles: Set<number>;
  /** After a rewind: replay must reach this point of this branch before the data are consistent. */
  consistentAt: { readonly branch: HiddenBranch; readonly at: number } | undefined;
  /** Pages of two histories are mixed: whatever it serves is wrong. */
  corrupt: boolean;
  /** Older WAL than this is recycled. */
  walFloor: number;
  readonly slots: Map<string, SimSlot>;
  /** Which standbys a commit waits for, as the file says. */
  syncNames: SyncNames;
  /** Configuration as last written. */
  settings: string;
}

export class Disk {
  state: DirectoryState = "missing";
  data: DataDirectory | undefined;
  /** Our own record of branches, and our own marker (R19, R32). */
  lineage: readonly Branch[] = [];
  /** The branch that a promotion was about to begin; it counts once the data are seen on it. */
  pending: Branch | undefined;
  marked = false;
  /** Slots that an agent on this host has created (our own record beside the data). */
  readonly ownSlots = new Set<string>();
  full = false;
  tight = false;
  nodeState: NodeState = {
    leaseId: undefined,
    store: undefined,
    bootstrapping: undefined,
    promisedTerm: undefined,
    config: undefined,
    promise: undefined,
    scheduledRestart: undefined,
  };
  /** Each write and flush takes this much longer than usual. */
  slowMs = 0;

  recordedLineage(): readonly Branch[] {
    const { pending } = this;
    const isThere = pending !== undefined && this.data?.branch.timeline === pending.timeline;
    return isThere ? [...this.lineage, pending] : this.lineage;
  }

  record(lineage: readonly Branch[]): void {
    this.lineage = lineage;
    this.pending = undefined;
  }

  directoryState(): DirectoryState {
    if (this.marked) return "marked";
    return this.data === undefined ? this.state : "data";
  }
}

/** A deep copy under a new identity: what pg_basebackup leaves. */
export function copyOf(data: DataDirectory, id: number): DataDirectory {
  return {
    ...data,
    id,
    control: { ...data.control },
    historyFiles: new Set(data.historyFiles),
    slots: new Map(),
    consistentAt: undefined,
  };
}

/** The server picks its timeline: the number after the newest that it has a history file of, without gaps. */
export function nextTimeline(data: DataDirectory): number {
  let newest = data.branch.timeline;
  while (data.historyFiles.has(newest + 1)) newest += 1;
  return newest + 1;
}
