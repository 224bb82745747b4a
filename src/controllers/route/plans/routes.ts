// Who serves which clients, as the store shows the cluster?
import { type ClusterSnapshot, type Leader, memberNamed } from "../../../model/cluster.ts";
import { type Lsn, lagBytes } from "../../../model/lsn.ts";
import type { Member } from "../../../model/member.ts";
import type { ReadTarget, RoutePlan, Target } from "../../../model/route.ts";
import type { RouterSettings } from "../../../model/router-settings.ts";
import { isReadOnly } from "./standing.ts";

export interface Wanted {
  readonly cluster: ClusterSnapshot;
  /** Who has proved to take writes; without it nobody is written to. */
  readonly primary: Leader | undefined;
  readonly settings: Pick<RouterSettings, "maxLagBytes" | "maxReportLagBytes" | "readsFromPrimary">;
}

/**
 * Writes to the primary; reads to every standby that may have readers, where one that is too far behind gets no new
 * ones; reports to the standbys tagged `report`, which may be further behind, else where reads go. Always in the order of names.
 */
export function planRoutes({ cluster, primary, settings }: Wanted): RoutePlan {
  const leader = primary === undefined ? undefined : memberNamed(cluster, primary.name);
  const write = leader === undefined ? undefined : targetOf(leader);
  const end = newest(cluster);
  const standbys = cluster.members
    .filter((m) => m.name !== cluster.leader?.name && mayRead(m))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const within =
    (limitBytes: number) =>
    (m: Member): ReadTarget => ({
      ...targetOf(m),
      state: isFresh(m, end, limitBytes) ? "ready" : "drain",
    });
  const isReporter = ({ tags }: Member) => tags.custom["report"] === true;
  const reporters = standbys.filter(isReporter).map(within(settings.maxReportLagBytes));
  const others = standbys.filter((m) => !isReporter(m));
  const readers = (others.length > 0 ? others : standbys).map(within(settings.maxLagBytes));
  const reads = orPrimary(readers, write, settings);
  return {
    term: primary?.term ?? cluster.leader?.term ?? 0,
    write,
    ...(primary === undefined && isReadOnly(cluster) ? { isReadOnly: true } : {}),
    reads,
    reports: reporters.length > 0 ? reporters : reads,
  };
}

const targetOf = ({ name, host, port, apiUrl }: Member): Target => {
  const [, inBrackets, plain, apiPort] =
    /^\w+:\/\/(?:\[([^\]]+)\]|([^/:]+)):(\d+)/.exec(apiUrl) ?? [];
  const apiHost = inBrackets ?? plain;
  if (apiHost === undefined) return { name, host, port };
  return { name, host, port, api: { host: apiHost, port: Number(apiPort) } };
};

const mayRead = (m: Member): boolean =>
  m.role === "standby" && m.state === "running" && m.host !== "" && !m.tags.noloadbalance;

/** The furthest position that anybody has published. */
function newest({ status, members }: ClusterSnapshot): Lsn | undefined {
  const all = [status.value.position, ...members.map((m) => m.position)];
  return all.reduce<Lsn | undefined>(
    (a, b) => (b === undefined || (a !== undefined && a >= b) ? a : b),
    undefined,
  );
}

/** A standby whose position nobody knows is not fresh: readers would see who knows how old rows. */
function isFresh(m: Member, end: Lsn | undefined, limitBytes: number): boolean {
  const at = m.replayedLsn ?? m.position;
  if (at === undefined) return false;
  return end === undefined || lagBytes(end, at) <= limitBytes;
}

function orPrimary(
  reads: readonly ReadTarget[],
  write: Target | undefined,
  { readsFromPrimary }: Pick<RouterSettings, "readsFromPrimary">,
): readonly ReadTarget[] {
  const isServed = reads.some(({ state }) => state === "ready");
  if (isServed || !readsFromPrimary || write === undefined) return reads;
  return [...reads, { ...write, state: "ready" }];
}
