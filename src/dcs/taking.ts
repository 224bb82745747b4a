// How is the leadership taken, and how is it taken away from a silent holder?
import type { AcquireBasis } from "../model/acquire-basis.ts";
import type { Hold } from "../model/cluster.ts";
import type { Ms } from "../model/time.ts";
import type { AcquireOutcome, Dcs, Holder, WriteOutcome } from "../ports/dcs.ts";
import type { Compare, Store, Write } from "../ports/store.ts";
import { tried } from "./failure.ts";
import type { Keys } from "./keys.ts";
import { putHold, unchanged } from "./leader-writes.ts";
import type { Terms } from "./terms.ts";

/** The term is not known before it begins: a hold of term 0 means the revision at which it stands. */
const TERM_OF_ITS_REVISION = 0;

export function taking(
  store: Store,
  keys: Keys,
  terms: Terms,
): Pick<Dcs, "acquire" | "removeStaleLeader"> {
  async function acquire(
    basis: AcquireBasis,
    holder: Holder,
    timeoutMs: Ms,
  ): Promise<AcquireOutcome> {
    const compares: readonly Compare[] = [
      { key: keys.leader, target: "create", equals: 0 },
      unchanged(keys.hold, basis.holdRevision),
      unchanged(keys.sync, basis.syncRevision),
      unchanged(keys.failover, basis.failoverRevision),
      unchanged(keys.known, basis.rosterRevision),
      unchanged(keys.lineage, basis.lineageRevision),
      unchanged(keys.unguarded, basis.unguardedRevision),
    ];
    const writes: readonly Write[] = [
      { kind: "put", key: keys.leader, value: holder.name, lease: holder.leaseId },
      putHold(keys, holder, { term: TERM_OF_ITS_REVISION, seq: 0 }),
    ];
    const answer = await tried(store.commit(compares, writes, { timeoutMs }));
    if (answer.kind === "failed") return { kind: "unknown", why: answer.why };
    if (!answer.value.succeeded) return { kind: "taken" };
    return { kind: "won", term: terms.of(answer.value.header.revision) };
  }

  async function removeStaleLeader(term: number, hold: Hold, timeoutMs: Ms): Promise<WriteOutcome> {
    // A hold of another term says nothing about this holder: it is not one of ours, or a newer one (R35).
    if (hold.term !== term) return "refused";
    const compares: readonly Compare[] = [
      terms.isOf(keys, term),
      unchanged(keys.hold, hold.modRevision),
    ];
    const remove: Write = { kind: "delete", key: keys.leader };
    const answer = await store.commit(compares, [remove], { timeoutMs });
    return answer.succeeded ? "written" : "refused";
  }

  return { acquire, removeStaleLeader };
}
