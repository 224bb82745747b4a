// S6: the fence never fires on a healthy primary with a reachable store.
import type { MakeChecker } from "./checker.ts";

export const fenceCalm: MakeChecker = ({ cluster, violate, holdMs }) => ({
  see(truth, at) {
    if (truth.kind !== "fence-fired" || !truth.serverRan) return;
    const since = at - 2 * holdMs;
    const host = cluster.host(truth.host);
    if (host.isUndisturbedSince(since, "server") && cluster.store.isUndisturbedSince(since)) {
      violate(
        "S6",
        `the fence of ${truth.host} fires although nothing was wrong with it or the store`,
      );
    }
  },
});
