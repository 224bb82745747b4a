// Which store is ours? (R31)
//
// A member remembers which store it last read. Another cluster id or a lower revision is ignorance, until the member that
// led last has said in the new store that it continues the old one.
import type { ClusterSnapshot, Roster } from "./cluster.ts";

/** What a member keeps beside its data about the store that it last read. */
export interface StoreRecord {
  readonly clusterId: string;
  /** A lower bound: not every revision is noted. */
  readonly revision: number;
  readonly systemId?: string | undefined;
  /** The highest term of any branch that was reserved there. */
  readonly branchTerm?: number | undefined;
  /** Who held last, and in which term. */
  readonly leader?: { readonly name: string; readonly term: number } | undefined;
  /** Who could have led since, with the addresses of their agents. */
  readonly members?: Roster | undefined;
  /** The id of the succession that was followed, if there was one. */
  readonly succession?: string | undefined;
}

/** The record after a look at this store. */
export function recordOf(cluster: ClusterSnapshot, before: StoreRecord | undefined): StoreRecord {
  const { header, initialize, hold, roster, succession, lineage } = cluster;
  const branchTerm = Math.max(0, ...lineage.value.map((b) => b.term));
  return {
    clusterId: header.clusterId,
    revision: header.revision,
    systemId: initialize.value ?? before?.systemId,
    branchTerm: Math.max(branchTerm, before?.branchTerm ?? 0),
    leader: hold === undefined ? before?.leader : { name: hold.holder, term: hold.term },
    members: roster.value ?? before?.members,
    succession: succession.value?.id,
  };
}

/** Whether what this snapshot shows is the store of the record, no older, or the one that continues it. */
export function isOurs(cluster: ClusterSnapshot, record: StoreRecord | undefined): boolean {
  if (record === undefined) return true;
  const { clusterId, revision } = cluster.header;
  if (record.clusterId === clusterId && revision >= record.revision) return true;
  const next = cluster.succession.value;
  return (
    next !== undefined &&
    next.id !== record.succession &&
    next.systemId === record.systemId &&
    next.termBase >= (record.branchTerm ?? 0)
  );
}

/** Whether two snapshots are of one store; revisions of different ones cannot be compared. */
export const isSameStore = (a: ClusterSnapshot, b: ClusterSnapshot): boolean =>
  a.header.clusterId === b.header.clusterId && a.succession.value?.id === b.succession.value?.id;
