// Who may initialise the cluster, and when does the cluster exist?
//
// The claim is a key on the claimant's lease, so a dead claimant blocks nobody; `initialize` gets the system
// id only after the new server has run (R41). `initialize` stays as Patroni knows it.

import type { Branch } from "../model/timeline.ts";
import { printLineage } from "../model/wire/dcs.ts";
import type { Dcs } from "../ports/dcs.ts";
import type { Compare, Store, Write } from "../ports/store.ts";
import type { Keys } from "./keys.ts";

type Bootstrap = Pick<Dcs, "claimBootstrap" | "finishBootstrap" | "abandonBootstrap">;

export function bootstrap(store: Store, keys: Keys): Bootstrap {
  const noClaim: Compare = { key: keys.bootstrap, target: "create", equals: 0 };
  const noCluster: Compare = { key: keys.initialize, target: "create", equals: 0 };
  const claimOf = (name: string, leaseId: string): readonly Compare[] => [
    { key: keys.bootstrap, target: "lease", equals: leaseId },
    { key: keys.bootstrap, target: "value", equals: name },
  ];
  const lineageOf = (branches: readonly Branch[]): Write => ({
    kind: "put",
    key: keys.lineage,
    value: printLineage(branches),
  });
  const dropClaim: Write = { kind: "delete", key: keys.bootstrap };

  return {
    async claimBootstrap(name, leaseId, timeoutMs) {
      const claim: Write = { kind: "put", key: keys.bootstrap, value: name, lease: leaseId };
      const first = await store.commit([noClaim, noCluster], [claim], { timeoutMs });
      if (first.succeeded) return true;
      // An earlier attempt of ours whose answer was lost may have made the claim already.
      const ours = [...claimOf(name, leaseId), noCluster];
      return (await store.commit(ours, [claim], { timeoutMs })).succeeded;
    },

    // oxlint-disable-next-line eslint/max-params -- the port's own shape
    async finishBootstrap(name, leaseId, systemId, { configJson, branches }, timeoutMs) {
      const writes: readonly Write[] = [
        { kind: "put", key: keys.initialize, value: systemId },
        { kind: "put", key: keys.config, value: configJson },
        // A history of one branch goes without saying, and whoever restores brings one of his own.
        ...(branches.length > 1 ? [lineageOf(branches)] : []),
        dropClaim,
      ];
      const compares = [...claimOf(name, leaseId), noCluster];
      const answer = await store.commit(compares, writes, { timeoutMs });
      return answer.succeeded ? "written" : "refused";
    },

    async abandonBootstrap(name, leaseId, timeoutMs) {
      // When the claim is not ours any more there is nothing to abandon.
      await store.commit(claimOf(name, leaseId), [dropClaim], { timeoutMs });
    },
  };
}
