// How is the leadership taken, kept, given up and taken from a silent holder?
//
// Who leads is a matter of lease id and term, never of the name alone (R10). `hold` changes in the same
// transaction as the leader key, so a rival who watches `hold` sees every sign of life (R5 to R8).
import type { AcquireBasis } from "../model/acquire-basis.ts";
import type { Hold, Release } from "../model/cluster.ts";
import type { Ms } from "../model/time.ts";
import { printHold } from "../model/wire/dcs.ts";
import type { AcquireOutcome, Dcs, Holder, RenewOutcome, WriteOutcome } from "../ports/dcs.ts";
import type { Compare, Store, Write } from "../ports/store.ts";
import { tried } from "./failure.ts";
import type { Keys } from "./keys.ts";

/** The term is not known before it begins: a hold of term 0 means the revision at which it stands. */
const TERM_OF_ITS_REVISION = 0;

type Leadership = Pick<Dcs, "acquire" | "renew" | "release" | "removeStaleLeader">;

export function leadership(store: Store, keys: Keys): Leadership {
  const absent = (key: string): Compare => ({ key, target: "create", equals: 0 });
  const unchanged = (key: string, revision: number): Compare => ({
    key,
    target: "mod",
    equals: revision,
  });
  const mine = (term: number, holder: Holder): readonly Compare[] => [
    { key: keys.leader, target: "create", equals: term },
    { key: keys.leader, target: "lease", equals: holder.leaseId },
    { key: keys.leader, target: "value", equals: holder.name },
  ];
  const putHold = (term: number, holder: Holder, seq: number, released?: Release): Write => ({
    kind: "put",
    key: keys.hold,
    value: printHold({ holder: holder.name, term, seq, holdMs: holder.holdMs, released }),
  });

  async function acquire(
    basis: AcquireBasis,
    holder: Holder,
    timeoutMs: Ms,
  ): Promise<AcquireOutcome> {
    const compares = [
      absent(keys.leader),
      unchanged(keys.hold, basis.holdRevision),
      unchanged(keys.sync, basis.syncRevision),
      unchanged(keys.failover, basis.failoverRevision),
      unchanged(keys.known, basis.knownMembersRevision),
      unchanged(keys.lineage, basis.lineageRevision),
    ];
    const writes: readonly Write[] = [
      { kind: "put", key: keys.leader, value: holder.name, lease: holder.leaseId },
      putHold(TERM_OF_ITS_REVISION, holder, 0),
    ];
    const answer = await tried(store.commit(compares, writes, { timeoutMs }));
    if (answer.kind === "failed") return { kind: "unknown", why: answer.why };
    if (!answer.value.succeeded) return { kind: "taken" };
    return { kind: "won", term: answer.value.header.revision };
  }

  async function renew(
    term: number,
    holder: Holder,
    seq: number,
    timeoutMs: Ms,
  ): Promise<RenewOutcome> {
    // Both leave at once; validity is counted from before the first, so neither order gains anything.
    const [kept, held] = await Promise.all([
      tried(store.keepAlive(holder.leaseId, { timeoutMs })),
      tried(store.commit(mine(term, holder), [putHold(term, holder, seq)], { timeoutMs })),
    ]);
    // One clear "no" outweighs whatever the other request says or fails to say.
    if (held.kind === "answered" && !held.value.succeeded) {
      return { kind: "lost", why: "the leader key is no longer ours" };
    }
    if (kept.kind === "answered" && kept.value === "gone") {
      return { kind: "lost", why: "the store no longer knows our lease" };
    }
    if (held.kind === "failed") return { kind: "unknown", why: held.why };
    if (kept.kind === "failed") return { kind: "unknown", why: kept.why };
    return { kind: "renewed" };
  }

  async function release(
    term: number,
    holder: Holder,
    to: Release,
    timeoutMs: Ms,
  ): Promise<RenewOutcome> {
    const writes: readonly Write[] = [
      { kind: "delete", key: keys.leader },
      putHold(term, holder, 0, to),
    ];
    const answer = await tried(store.commit(mine(term, holder), writes, { timeoutMs }));
    if (answer.kind === "failed") return { kind: "unknown", why: answer.why };
    if (answer.value.succeeded) return { kind: "renewed" };
    return { kind: "lost", why: "the leader key is no longer ours" };
  }

  async function removeStaleLeader(term: number, hold: Hold, timeoutMs: Ms): Promise<WriteOutcome> {
    // A hold of another term says nothing about this holder: it is not one of ours, or a newer one (R35).
    if (hold.term !== term) return "refused";
    const compares: readonly Compare[] = [
      { key: keys.leader, target: "create", equals: term },
      unchanged(keys.hold, hold.modRevision),
    ];
    const remove: Write = { kind: "delete", key: keys.leader };
    const answer = await store.commit(compares, [remove], { timeoutMs });
    return answer.succeeded ? "written" : "refused";
  }

  return { acquire, renew, release, removeStaleLeader };
}
