// S3: asynchronous loss is bounded. S2, that with synchronous standbys nothing is lost, is sync-no-loss.ts.
//
// Nothing that was acknowledged is lost by a crash of the server's processes alone or by a planned action. When
// the host or its way to the store was disturbed: only what the chosen standby had not received, and no more than
// the lag rule allows, and no reachable standby had more.
import { parsePosition } from "../published.ts";
import type { Truth } from "../truth.ts";
import { contains, type HiddenBranch } from "../wal.ts";
import type { AcknowledgedRow } from "../workload.ts";
import { type CheckContext, isAskedFor, type MakeChecker } from "./checker.ts";

interface Position {
  readonly host: string;
  readonly branch: HiddenBranch;
  readonly flushed: number;
}

export const noLoss: MakeChecker = (context) => {
  const { cluster, workload, violate, holdMs } = context;
  let seen = 0;
  let alive: AcknowledgedRow[] = [];
  let positions: readonly Position[] = [];
  const hasParted = partings(context);
  const lastWritable = new Map<string, number>();
  const takeNew = (): void => {
    for (; seen < workload.acknowledged.length; seen++) {
      const row = workload.acknowledged[seen];
      if (row !== undefined) alive.push(row);
    }
  };
  return {
    see(truth, at) {
      if (hasParted(truth)) {
        takeNew();
        alive = [];
      }
      if (truth.kind === "writable" && !truth.on) lastWritable.set(truth.host, at);
      if (truth.kind === "promotion-begun") positions = settledPositions(context, truth.host);
      if (truth.kind !== "promoted" || cluster.host(truth.host).excusedUntil >= at) return;
      takeNew();
      const lost = alive.filter(
        (r) => !contains(truth.branch, Number.POSITIVE_INFINITY, r.branch, r.lsn),
      );
      if (lost.length === 0) return;
      alive = alive.filter((r) => !lost.includes(r));
      workload.lost += lost.length;
      const from = lost.at(-1)?.host ?? "";
      const since = (lastWritable.get(from) ?? at) - holdMs * 1.5;
      const what = `${lost.length} acknowledged rows of ${from} are not on ${truth.host}'s timeline ${truth.branch.timeline}`;
      if (
        cluster.host(from).isUndisturbedSince(since, "agent") &&
        cluster.store.isUndisturbedSince(since)
      ) {
        violate(
          "S3",
          `${what}, although ${from}'s host, agent and way to the store were never disturbed`,
        );
        return;
      }
      if (isAskedFor(context, truth.host)) return;
      const bound = publishedBound(context);
      if (bound !== undefined && truth.branch.forkAt < bound) {
        violate(
          "S3",
          `${what}: it leads from ${truth.branch.forkAt}, the lag rule allows ${bound}`,
        );
      }
      const other = better(positions, truth.branch);
      if (other !== undefined) violate("S3", `${what}, but ${other} had more and could be asked`);
    },
    finish() {
      takeNew();
      const primary = cluster.writable();
      const data = primary?.server.data;
      if (primary === undefined || data === undefined) return;
      const lost = alive.filter((r) => !contains(data.branch, data.end, r.branch, r.lsn));
      workload.lost += lost.length;
      if (lost.length > 0)
        violate(
          "S3",
          `${lost.length} acknowledged rows are missing on ${primary.name} and no promotion lost them`,
        );
    },
  };
};

/**
 * Whether a person has just ended the following of another site. Whoever lets a site follow gives up what only that site
 * has: a person's word, and no loss.
 */
function partings({ cluster }: CheckContext): (truth: Truth) => boolean {
  let hasFollowed = false;
  return (truth) => {
    if (truth.kind !== "stored" || !truth.writes.some(({ key }) => key.endsWith("/config")))
      return false;
    const before = hasFollowed;
    hasFollowed = cluster.followsSite();
    return before && !hasFollowed;
  };
}

/** The least position that a member may lead from: what the last leader published, minus the lag allowed. */
function publishedBound({ cluster, maximumLag }: CheckContext): number | undefined {
  const status = cluster.store.state.keys.get("/service/demo/status")?.value;
  const position = status === undefined ? undefined : parsePosition(status);
  return position === undefined ? undefined : position - maximumLag;
}

/** Standbys that were well, reachable from `chosen` both ways, and settled: what each had flushed. */
function settledPositions({ cluster, holdMs }: CheckContext, chosen: string): readonly Position[] {
  const since = cluster.kernel.now - 2 * holdMs;
  const found: Position[] = [];
  for (const host of cluster.hosts.values()) {
    const data = host.server.data;
    const run = host.server.run;
    if (host.name === chosen || data === undefined || run?.phase !== "standby" || !run.exhausted)
      continue;
    const isWell =
      host.isUndisturbedSince(since, "server") &&
      run.startedAt < host.clock.now() - 2 * holdMs &&
      !host.parts.settings.tags.nofailover &&
      cluster.network.connects(host.name, chosen);
    if (isWell) found.push({ host: host.name, branch: data.branch, flushed: data.flushed });
  }
  return found;
}

/** One of them, of the same history, with more of the WAL than the new branch kept. */
function better(positions: readonly Position[], branch: HiddenBranch): string | undefined {
  const { parent, forkAt } = branch;
  if (parent === undefined) return undefined;
  return positions.find((p) => p.flushed > forkAt && contains(p.branch, p.flushed, parent, forkAt))
    ?.host;
}
