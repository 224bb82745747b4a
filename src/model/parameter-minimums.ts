// Which parameters must not fall below a number, and below which?

/** Members that the managed values leave room for, so that adding one needs no restart. */
export const ROOM_FOR_MEMBERS = 7;

/** By the number of members: a clone takes two senders, and one more shall never be missing. */
const minimums = (members: number): Readonly<Record<string, number>> => ({
  max_connections: 25,
  max_wal_senders: members + 3,
  max_replication_slots: members + 3,
  max_worker_processes: 2,
  max_locks_per_transaction: 32,
  max_prepared_transactions: 0,
});

/** The number that is needed when the value is below it; undefined when the value will do. */
export function neededInstead(name: string, value: string, members: number): number | undefined {
  const least = minimums(members)[name.toLowerCase()];
  if (least === undefined) return undefined;
  return /^\d+$/.test(value.trim()) && Number(value) >= least ? undefined : least;
}
