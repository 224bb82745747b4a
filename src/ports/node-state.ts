// The port to our own small durable facts beside the data: written with fsync before they are relied on.
import type { GivenPromise } from "../model/promise.ts";
import type { ScheduledRestart } from "../model/restart.ts";
import type { StoreRecord } from "../model/store-record.ts";

export interface NodeState {
  /** Lease id that this agent uses, chosen at random and stored before its first use (R10). */
  readonly leaseId: string | undefined;
  /** The store that was last read, and what it said of who could have led (R31). */
  readonly store: StoreRecord | undefined;
  /** This member began to initialise the cluster and has not finished (R41). */
  readonly bootstrapping: boolean | undefined;
  /** No leader of an older term than this is streamed from any more (R22). */
  readonly promisedTerm: number | undefined;
  /** Last good dynamic configuration, as stored text, for a start while the store is away (R44). */
  readonly config: string | undefined;
  /** A restart for later: it is still wanted when the agent comes back. */
  readonly scheduledRestart: ScheduledRestart | undefined;
  /** Given to a primary that could not reach the store (R27). */
  readonly promise: GivenPromise | undefined;
}

export interface NodeStateFile {
  /** The record as last read or written; never waits. */
  current(): NodeState;
  /** Merges and writes durably. Throws PG_DISK_FULL or NOT_POSSIBLE. */
  update(change: Partial<NodeState>): Promise<void>;
}
