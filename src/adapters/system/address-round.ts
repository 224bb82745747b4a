// Which of several addresses takes this? One of them is the primary's, and nobody says which.
import type { Address } from "../../model/address.ts";
import type { Ms } from "../../model/time.ts";

/** Tries addresses one after the other, first the one that took the last. */
export class AddressRound {
  readonly #addresses: readonly Address[];
  #first = 0;

  constructor(addresses: readonly Address[]) {
    this.#addresses = addresses;
  }

  /**
   * What the first address that takes it answers. `end` is a moment of `performance.now()`; one that is silent leaves the
   * others their part of the time until then. Throws what the last one said, or `trouble` when no time is left to ask any.
   */
  async take<T>(
    end: number,
    attempt: (address: Address, limitMs: Ms) => Promise<T>,
    trouble: unknown = new Error("no address"),
  ): Promise<T> {
    const many = this.#addresses.length;
    let last = trouble;
    for (let n = 0; n < many && performance.now() < end; n++) {
      const index = (this.#first + n) % many;
      const address = this.#addresses[index];
      if (address === undefined) continue;
      try {
        const answer = await attempt(address, (end - performance.now()) / (many - n));
        this.#first = index;
        return answer;
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }
}
