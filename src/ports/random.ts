// The port to dice.

export interface Random {
  /** An integer in [0, below). */
  integer(below: number): number;
  /** A positive 62-bit id as decimal text, for lease ids. */
  leaseId(): string;
}
