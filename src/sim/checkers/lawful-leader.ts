// S14: where a watchdog is required, nobody leads without one. S15: where people are to be asked, nobody leads unasked.
import type { CheckContext, MakeChecker } from "./checker.ts";

/** What was decided while the watchdog was well may still be carried out for so long. */
const UNDER_WAY_MS = 5_000;

export const lawfulLeader: MakeChecker = (context) => {
  const { cluster, violate } = context;
  const failedSince = new Map<string, number>();
  let lastLeader: string | undefined;
  return {
    see(truth, at) {
      for (const { name, watchdog } of cluster.hosts.values()) {
        if (watchdog !== "failed") failedSince.delete(name);
        else if (!failedSince.has(name)) failedSince.set(name, at);
      }
      if (truth.kind === "writable" && truth.on) lastLeader = truth.host;
      if (truth.kind !== "promotion-begun" && truth.kind !== "start-as-primary") return;
      const { host } = truth;
      const since = failedSince.get(host);
      if (since !== undefined && at >= since + UNDER_WAY_MS)
        violate("S14", `${host}: ${truth.kind} although its watchdog has failed`);
      if (truth.kind === "promotion-begun" && isUnasked(context, host, lastLeader))
        violate("S15", `${host} takes over from ${lastLeader ?? "nobody"} and nobody was asked`);
    },
  };
};

/** People are to be asked, none has named this host, and the leader before did not leave in good order. */
function isUnasked({ cluster, holdMs }: CheckContext, host: string, before?: string): boolean {
  const read = (key: string): string =>
    cluster.store.state.keys.get(`/service/demo/${key}`)?.value ?? "";
  if (!read("config").includes('"failover":"ask"')) return false;
  if (before === undefined || before === host || read("failover").includes(`"${host}"`))
    return false;
  const since = cluster.kernel.now - 2 * holdMs;
  return !cluster.host(before).isUndisturbedSince(since, "agent");
}
