// The real dice.
import { randomBytes, randomInt } from "node:crypto";
import type { Random } from "../../ports/random.ts";

export function createRandom(): Random {
  return {
    integer: (below) => randomInt(below),
    leaseId: () => {
      // Zero would mean "no lease" to the store, and the top two bits stay clear of every signed reading.
      const id = randomBytes(8).readBigUInt64BE() >> 2n;
      return String(id === 0n ? 1n : id);
    },
  };
}
