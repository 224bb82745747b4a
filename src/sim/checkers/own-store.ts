// S12: on the word of another store, or of an older state of ours, nobody with data starts or promotes a primary.
import type { MakeChecker } from "./checker.ts";

/** What was decided on the true store's word may still be carried out for so long. */
const UNDER_WAY_MS = 2_000;

export const ownStore: MakeChecker = ({ cluster, violate }) => {
  let foreignSince: number | undefined;
  return {
    see(truth, at) {
      foreignSince = cluster.store.isForeign ? (foreignSince ?? at) : undefined;
      if (truth.kind !== "promotion-begun" && truth.kind !== "start-as-primary") return;
      if (foreignSince === undefined || at < foreignSince + UNDER_WAY_MS) return;
      violate("S12", `${truth.host}: ${truth.kind} although another store answers`);
    },
  };
};
