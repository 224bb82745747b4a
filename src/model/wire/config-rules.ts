// How strictly is a configuration judged, and how is a fault in it named?

/** What is wrong with one setting, and why it was refused. */
export interface ConfigProblem {
  readonly path: string;
  readonly what: string;
  readonly why: string;
}

export interface ConfigRules {
  /**
   * `strict` refuses everything that would have to be bent (a PATCH, our own file); `lenient` bends
   * timings as Patroni does, for a configuration that is stored already. Wrong types are refused by both.
   */
  readonly mode: "strict" | "lenient";
  /** Every member keeps `hold`, so shorter times than Patroni's are safe (R5, R35). Default true. */
  readonly allOurs?: boolean;
}
