// How is the leadership kept, and how is it given up?
import type { Release } from "../model/cluster.ts";
import type { Ms } from "../model/time.ts";
import type { Dcs, Holder, RenewOutcome } from "../ports/dcs.ts";
import type { Store, Write } from "../ports/store.ts";
import { tried } from "./failure.ts";
import type { Keys } from "./keys.ts";
import { isMine, putHold } from "./leader-writes.ts";
import type { Terms } from "./terms.ts";

export function holding(store: Store, keys: Keys, terms: Terms): Pick<Dcs, "renew" | "release"> {
  // oxlint-disable-next-line eslint/max-params -- the port's own shape
  async function renew(
    term: number,
    holder: Holder,
    seq: number,
    timeoutMs: Ms,
  ): Promise<RenewOutcome> {
    // Both leave at once; validity is counted from before the first, so neither order gains anything.
    const [kept, held] = await Promise.all([
      tried(store.keepAlive(holder.leaseId, { timeoutMs })),
      tried(
        store.commit(
          isMine(keys, terms.isOf(keys, term), holder),
          [putHold(keys, holder, { term, seq })],
          {
            timeoutMs,
          },
        ),
      ),
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

  // oxlint-disable-next-line eslint/max-params -- the port's own shape
  async function release(
    term: number,
    holder: Holder,
    to: Release,
    timeoutMs: Ms,
  ): Promise<RenewOutcome> {
    const writes: readonly Write[] = [
      { kind: "delete", key: keys.leader },
      putHold(keys, holder, { term, seq: 0, released: to }),
    ];
    const answer = await tried(
      store.commit(isMine(keys, terms.isOf(keys, term), holder), writes, { timeoutMs }),
    );
    if (answer.kind === "failed") return { kind: "unknown", why: answer.why };
    if (answer.value.succeeded) return { kind: "renewed" };
    return { kind: "lost", why: "the leader key is no longer ours" };
  }

  return { renew, release };
}
