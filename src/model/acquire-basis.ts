// On which revisions of the store was a decision to acquire the lease based?
import type { ClusterSnapshot } from "./cluster.ts";

/** What a decision to acquire was based on: every revision is compared in the transaction (R12). 0 = absent. */
export interface AcquireBasis {
  readonly holdRevision: number;
  readonly syncRevision: number;
  readonly failoverRevision: number;
  readonly rosterRevision: number;
  readonly lineageRevision: number;
  readonly unguardedRevision: number;
}

export const basisOf = (c: ClusterSnapshot): AcquireBasis => ({
  holdRevision: c.hold?.modRevision ?? 0,
  syncRevision: c.sync.modRevision,
  failoverRevision: c.failover.modRevision,
  rosterRevision: c.roster.modRevision,
  lineageRevision: c.lineage.modRevision,
  unguardedRevision: c.unguarded.modRevision,
});
