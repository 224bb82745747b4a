// S1: no two servers can acknowledge writes at one time, whatever their agents believe.
import type { SimHost } from "../host.ts";
import type { MakeChecker } from "./checker.ts";

/**
 * A host whose agent is away or stopped while its fence is stopped: a stated limit (L2). Not among strangers: there
 * nobody counts on a fence, and who takes over asks that server itself (R35).
 */
const isUnguarded = ({ agent, fence }: SimHost): boolean =>
  fence?.process.isAlive === true && !fence.process.isRunning && agent?.isRunning !== true;

/** A host that has just woken from a suspend is the other limit (L1). */
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
        (h) =>
          h !== truth.host &&
          cluster.host(h).excusedUntil < at &&
          (cluster.options.strangers === true || !isUnguarded(cluster.host(h))),
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
