// T3: no fence is armed for longer than the store has confirmed to its host.
import type { MakeChecker } from "./checker.ts";

/** Two readings of one clock are rounded. */
const ROUNDING_MS = 1;

export const confirmedFirst: MakeChecker = ({ violate }) => {
  const confirmed = new Map<string, number>();
  const keyOf = (host: string, term: number): string => `${host} ${term}`;
  return {
    see(truth) {
      if (truth.kind === "lease-confirmed") {
        const key = keyOf(truth.host, truth.term);
        confirmed.set(key, Math.max(truth.until, confirmed.get(key) ?? truth.until));
      }
      if (truth.kind !== "fence-armed") return;
      const until = confirmed.get(keyOf(truth.host, truth.term)) ?? Number.NEGATIVE_INFINITY;
      if (truth.until <= until + ROUNDING_MS) return;
      const by = Number.isFinite(until) ? `${Math.round(truth.until - until)} ms longer` : "before";
      violate("T3", `the fence of ${truth.host} is armed ${by} than the store has confirmed`);
    },
  };
};
