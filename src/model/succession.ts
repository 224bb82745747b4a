// How does a store that was begun anew, or set back, say that it continues ours? (R31)

/** The key `succession`: written once, with everything else that a lost store knew. */
export interface Succession {
  /** Chosen at random: the same one is never followed twice, so that an older state of this store is seen as such. */
  readonly id: string;
  readonly systemId: string;
  /** No term before was higher. In this store a term is a revision plus this, so that terms only grow (S4). */
  readonly termBase: number;
  readonly by: string;
}
