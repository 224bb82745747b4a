// The port to the consensus store: a small, linearizable key-value space with leases and watches.
// What keys mean is not known here; src/dcs knows that. etcd and the simulator implement this.
import type { StoreHeader } from "../model/cluster.ts";
import type { Ms } from "../model/time.ts";

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Decimal id of the lease it hangs on; "0" for none. */
  readonly lease: string;
}

export type Compare =
  /** `create` 0 means: the key must be absent. */
  | { readonly key: string; readonly target: "create" | "mod"; readonly equals: number }
  | { readonly key: string; readonly target: "lease" | "value"; readonly equals: string };

export type Write =
  | { readonly kind: "put"; readonly key: string; readonly value: string; readonly lease?: string }
  | { readonly kind: "delete"; readonly key: string };

export interface Commit {
  readonly succeeded: boolean;
  readonly header: StoreHeader;
}

export interface Range {
  readonly header: StoreHeader;
  readonly entries: readonly KeyValue[];
}

/** One change seen by a watch; `value` undefined means deleted. */
export interface StoreEvent {
  readonly key: string;
  readonly value: string | undefined;
  readonly createRevision: number;
  readonly modRevision: number;
}

/** Every call is bounded by `timeoutMs` over all endpoints it tries, and by the signal. */
export interface CallOptions {
  readonly timeoutMs: Ms;
  readonly signal?: AbortSignal;
}

/**
 * Failures are AppErrors: STORE_UNREACHABLE (surely not applied), STORE_UNKNOWN (sent, the answer never came),
 * STORE_REFUSED (credentials, malformed), STORE_NO_SPACE.
 */
export interface Store {
  /** Linearizable read of every key that begins with `prefix`. */
  range(prefix: string, options: CallOptions): Promise<Range>;
  /**
   * All compares hold → all writes are applied at one revision; else nothing is. A put on a lease that the store
   * does not know is "nothing" too: not succeeded. Never retried inside after sending.
   */
  commit(
    compares: readonly Compare[],
    writes: readonly Write[],
    options: CallOptions,
  ): Promise<Commit>;
  /** Creates a lease with an id that we chose. Answers the ttl granted; "exists" when the id is taken. */
  grant(
    leaseId: string,
    ttlMs: Ms,
    options: CallOptions,
  ): Promise<{ readonly ttlMs: Ms } | "exists">;
  /** Answers the ttl left, or "gone" when the store does not know the lease. */
  keepAlive(leaseId: string, options: CallOptions): Promise<{ readonly ttlMs: Ms } | "gone">;
  /**
   * Calls `onEvents` for every later change below `prefix` until the signal aborts; resumes by itself over endpoints.
   * `onGap` says that events may have been missed or the watch was silent too long: read everything again (R40).
   */
  watch(
    prefix: string,
    onEvents: (events: readonly StoreEvent[]) => void,
    onGap: () => void,
    signal: AbortSignal,
  ): void;
}
