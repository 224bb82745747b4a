// How is a term made of a revision? A store that continues a lost one begins with low revisions, and terms only grow (S4, R31).
import type { Compare } from "../ports/store.ts";
import type { Keys } from "./keys.ts";

export interface Terms {
  /** The term that began at this revision. */
  of(revision: number): number;
  /** The leader key is the one of this term. */
  isOf(keys: Keys, term: number): Compare;
}

/** `base` answers for the store that was accepted: no term of the stores before it was higher. */
export const termsFrom = (base: () => number): Terms => ({
  of: (revision) => revision + base(),
  isOf: (keys, term) => ({ key: keys.leader, target: "create", equals: term - base() }),
});
