// L1: after the healing somebody serves writes soon. L2: every member streams. L3: nobody goes round in circles.
import type { SimCluster } from "../cluster.ts";
import type { SimHost } from "../host.ts";
import { FAR } from "../remote.ts";
import type { MakeChecker } from "./checker.ts";

/** How long after the healing the first write may take; all members stream by the end of the schedule. */
const WRITES_WITHIN_MS = 60_000;
/** At the end everyone has been calm for this long. */
export const CALM_MS = 30_000;
const STEPS_WHEN_CALM = 4;

export const writesReturn: MakeChecker = ({ cluster, workload, violate }) => ({
  isContent(now) {
    if (cluster.followsSite()) return receivers(cluster).length > 0;
    const last = workload.lastAcknowledgedAt ?? Number.NEGATIVE_INFINITY;
    return cluster.writable() !== undefined && last > now - CALM_MS;
  },
  finish(healedAt) {
    if (cluster.followsSite()) {
      if (receivers(cluster).length === 0) violate("L1", "nobody receives from the other site");
      return;
    }
    const first = workload.acknowledged.find((r) => r.at > healedAt);
    // A promotion that takes longer than allowed is given up once, and is then waited for.
    const withinMs = WRITES_WITHIN_MS + slowestPromotionMs(cluster);
    if (first === undefined) violate("L1", "no write was acknowledged after the healing");
    else if (first.at > healedAt + withinMs) {
      violate("L1", `the first write came ${Math.round(first.at - healedAt)} ms after the healing`);
    }
    if (cluster.writable() === undefined) violate("L1", "there is no writable primary at the end");
  },
});

const slowestPromotionMs = (cluster: SimCluster): number =>
  Math.max(...[...cluster.hosts.values()].map(({ server }) => server.profile.promoteMs));

/** Who streams from the other site. */
const receivers = (cluster: SimCluster): readonly SimHost[] =>
  cluster.standbys().filter(({ server: { run } }) => {
    const { receiver } = run ?? {};
    return receiver?.upstream.host === FAR && receiver.isStreaming();
  });

/** Everybody beside the primary who does not stream, or only from others who don't have it from there. */
function silent(cluster: SimCluster): readonly SimHost[] {
  const primary = cluster.writable();
  return [...cluster.hosts.values()].filter(({ name, server }) => {
    const { run } = server;
    const streams = run?.phase === "standby" && run.receiver?.isStreaming() === true;
    const isFed = streams && (primary === undefined || endsAt(cluster, name, primary.name));
    return server !== primary?.server && !isFed;
  });
}

export const everyoneStreams: MakeChecker = ({ cluster, violate }) => ({
  isContent: () => silent(cluster).length === 0,
  finish() {
    if (cluster.writable() === undefined && !cluster.followsSite()) return;
    for (const { name, server } of silent(cluster))
      violate("L2", `${name} does not stream at the end (${server.run?.phase ?? "down"})`);
  },
});

/** From standby to standby up to the primary; as many steps as there are hosts, for those who feed each other. */
function endsAt(cluster: SimCluster, from: string, primary: string): boolean {
  let at: string | undefined = from;
  for (const _ of cluster.hosts.keys()) {
    at = at === undefined ? undefined : cluster.hosts.get(at)?.server.run?.receiver?.upstream.host;
    if (at === primary) return true;
  }
  return false;
}

export const calmAtLast: MakeChecker = ({ violate }) => {
  const steps = new Map<string, { at: number; reason: string }[]>();
  return {
    see(truth, at) {
      if (truth.kind !== "decision" || truth.step === undefined) return;
      const list = steps.get(truth.host) ?? [];
      list.push({ at, reason: truth.reason });
      steps.set(truth.host, list);
    },
    isContent(now) {
      return [...steps.values()].every((list) => (list.at(-1)?.at ?? 0) <= now - CALM_MS);
    },
    finish(_healedAt, endedAt) {
      for (const [host, list] of steps) {
        const late = list.filter((s) => s.at > endedAt - CALM_MS);
        if (late.length <= STEPS_WHEN_CALM) continue;
        const reasons = [...new Set(late.map((s) => s.reason))].join(", ");
        violate(
          "L3",
          `${host} took ${late.length} steps in the last ${CALM_MS / 1000} s: ${reasons}`,
        );
      }
    },
  };
};
