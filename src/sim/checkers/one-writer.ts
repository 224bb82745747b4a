// S1: no two servers can acknowledge writes at one time, whatever their agents believe.
import type { MakeChecker } from "./checker.ts";

/** Hosts whose agent and fence were frozen together, or that just woke from a suspend, are a stated limit (L1, L2). */
export const oneWriter: MakeChecker = ({ cluster, violate }) => {
  const writable = new Set<string>();
  return {
    see(truth, at) {
      if (truth.kind !== "writable") return;
      if (!truth.on) {
        writable.delete(truth.host);
        return;
      }
      writable.add(truth.host);
      if (cluster.host(truth.host).excusedUntil >= at) return;
      const others = [...writable].filter(
        (h) => h !== truth.host && cluster.host(h).excusedUntil < at,
      );
      if (others.length > 0) {
        violate(
          "S1",
          `${truth.host} opens for writes while ${others.join(" and ")} can still acknowledge`,
        );
      }
    },
  };
};
