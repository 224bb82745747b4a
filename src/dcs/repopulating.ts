// How is a store that has lost the cluster told about it again? (R31)
import type { ClusterSnapshot } from "../model/cluster.ts";
import { printHold, printLineage, printRoster, printUnguarded } from "../model/wire/dcs.ts";
import { printSuccession } from "../model/wire/succession.ts";
import type { Dcs } from "../ports/dcs.ts";
import type { Compare, Store, Write } from "../ports/store.ts";
import type { Keys } from "./keys.ts";
import { unchanged } from "./leader-writes.ts";

/** How long others wait for the heir before they look at the list, on which it stands alone. */
const HOLD_MS = 8_000;

/** A term of that store is a revision above its own base. */
const createdAt = ({ leader, succession }: ClusterSnapshot): number =>
  leader === undefined ? 0 : leader.term - (succession.value?.termBase ?? 0);

export function repopulating(store: Store, keys: Keys): Pick<Dcs, "repopulate"> {
  return {
    /**
     * Everything in one transaction, compared with what was seen: nobody has begun to lead since. The member is
     * the only one that may lead, until it has listed the others itself (R28).
     */
    async repopulate(seen, facts, timeoutMs) {
      const { succession, branches, configJson, roster, unguarded } = facts;
      const compares: readonly Compare[] = [
        { key: keys.leader, target: "create", equals: createdAt(seen) },
        unchanged(keys.hold, seen.hold?.modRevision ?? 0),
        unchanged(keys.initialize, seen.initialize.modRevision),
        unchanged(keys.lineage, seen.lineage.modRevision),
        unchanged(keys.known, seen.roster.modRevision),
        unchanged(keys.succession, seen.succession.modRevision),
        unchanged(keys.unguarded, seen.unguarded.modRevision),
      ];
      const { by, termBase, systemId } = succession;
      const released = { heir: by, minLsn: undefined };
      const hold = { holder: by, term: termBase, seq: 0, holdMs: HOLD_MS, released };
      const put = (key: string, value: string): Write => ({ kind: "put", key, value });
      const remove = (key: string): Write => ({ kind: "delete", key });
      const gone = [keys.failover, keys.sync, keys.status, keys.oldStatus, keys.bootstrap];
      const writes: readonly Write[] = [
        put(keys.initialize, systemId),
        put(keys.config, configJson),
        put(keys.lineage, printLineage(branches)),
        put(keys.known, printRoster(roster)),
        put(keys.failsafe, printRoster(roster)),
        put(keys.hold, printHold(hold)),
        put(keys.succession, printSuccession(succession)),
        unguarded === undefined
          ? remove(keys.unguarded)
          : put(keys.unguarded, printUnguarded(unguarded)),
        remove(keys.leader),
        ...gone.map(remove),
      ];
      const answer = await store.commit(compares, writes, { timeoutMs });
      return answer.succeeded ? "written" : "refused";
    },
  };
}
