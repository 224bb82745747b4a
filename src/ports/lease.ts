// The port to the lease keeper: the only writer of the leader and hold keys.
import type { AcquireBasis } from "../model/acquire-basis.ts";
import type { Release } from "../model/cluster.ts";
import type { Lease } from "../model/lease.ts";
import type { Instant } from "../model/time.ts";
import type { AcquireOutcome, RenewOutcome } from "./dcs.ts";

/** What the keeper knows, from memory. */
export interface LeaseView {
  /** Our lease id, decided and stored before its first use (R10). */
  readonly leaseId: string;
  readonly held: Lease | undefined;
  /** Who granted the last extension: the store, or all rivals together in its place. */
  readonly grantor: "store" | "peers";
  /** An acquire was sent at this instant and has no answer, or never got one: it may still land (R12). */
  readonly acquireUnknownSince: Instant | undefined;
  /** From when the last renewal that counted counts: when it was sent. */
  readonly renewedAt: Instant | undefined;
}

export interface LeaseKeeping {
  view(): LeaseView;
  acquire(basis: AcquireBasis): Promise<AcquireOutcome>;
  /** Takes over a lease that the store, our durable lease id and the fence agree is ours (R10), or a late acquire. */
  adopt(term: number, sentAt: Instant, seq: number): Promise<RenewOutcome>;
  release(release: Release): Promise<RenewOutcome>;
  /** R30: the server that a pause let run without a deadline gets the lease's own. LEASE_LOST when there is none. */
  guard(): Promise<void>;
  /** Stops believing, at once, and ends a server that a deadline stands over. */
  drop(why: string): void;
}
