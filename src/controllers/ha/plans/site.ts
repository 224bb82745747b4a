// Which site does this cluster follow, what is to be said of it, and what does its leader keep true meanwhile?
import type { ClusterSnapshot, HistoryRow } from "../../../model/cluster.ts";
import { valueOf } from "../../../model/known.ts";
import { bareMember } from "../../../model/member.ts";
import type { Reason } from "../../../model/reason.ts";
import { lineageOfRemote, printSite, type RemoteSite } from "../../../model/site.ts";
import { type Branch, FIRST_BRANCH, headOf, pathTo } from "../../../model/timeline.ts";
import type { Upstream } from "../../../ports/postgres.ts";
import type { HaUpkeep } from "../steps.ts";
import type { HaWorld } from "../world.ts";
import { branchesOf, clusterOf, type Source } from "./standing.ts";

/** The configuration says that this cluster follows another site: nobody here is opened to writes. */
export const followsSite = ({ config }: Pick<HaWorld, "config">): boolean =>
  config.standbyCluster !== undefined;

export const remoteOf = (w: HaWorld): RemoteSite | undefined =>
  w.remote === undefined ? undefined : valueOf(w.remote.seen);

/** How whoever leads here reaches it. */
export function siteUpstream({ config: { standbyCluster: site } }: HaWorld): Upstream | undefined {
  if (site === undefined) return undefined;
  const { host, port, slot } = site;
  return { host, port, member: printSite(site), slot, isOtherSite: true };
}

/** The server over there as something to copy and to stream from; undefined while it cannot be read. */
export function remoteSource(w: HaWorld, term: number): Source | undefined {
  const upstream = siteUpstream(w);
  const site = remoteOf(w);
  if (upstream === undefined || site === undefined) return undefined;
  const { member: name, host, port } = upstream;
  const { timeline } = site;
  const member = { ...bareMember(name, host, port, ""), timeline, role: "primary" } as const;
  const known = [...(clusterOf(w)?.lineage.value ?? []), ...w.server.lineage];
  return { member, term, upstream, lineage: lineageOfRemote(site, known) };
}

/** From where to start streaming, and whose history is found there as far as that can be read. */
export function siteFeed(w: HaWorld, term: number) {
  const upstream = siteUpstream(w);
  return upstream && { upstream, source: remoteSource(w, term) };
}

export interface SiteTrouble {
  readonly because: Extract<Reason, "site_unreachable" | "site_foreign" | "site_slot_missing">;
  readonly detail: string;
}

/** Why nothing can be received from over there, or undefined when it can. */
export function siteTrouble(w: HaWorld): SiteTrouble | undefined {
  const upstream = siteUpstream(w);
  const site = remoteOf(w);
  const mine = w.server.control?.systemId;
  const name = upstream?.member ?? "?";
  if (site === undefined) {
    const why = w.remote?.seen.kind === "unknown" ? w.remote.seen.why : "not asked yet";
    return { because: "site_unreachable", detail: `${name}: ${why}` };
  }
  if (mine !== undefined && site.systemId !== mine) {
    const detail = `${name} is ${site.systemId}, this cluster is ${mine}`;
    return { because: "site_foreign", detail };
  }
  if (site.hasSlot !== false) return undefined;
  const detail = `create it over there: SELECT pg_create_physical_replication_slot('${upstream?.slot ?? ""}', true)`;
  return { because: "site_slot_missing", detail };
}

/** The branches that the data has come by, told to the store once the server is on the last of them. */
export function siteBranches(w: HaWorld, c: ClusterSnapshot, term: number): readonly HaUpkeep[] {
  const { lineage } = w.server;
  const head = headOf(lineage);
  if (head === undefined || isSamePath(pathTo(branchesOf(c), head.timeline), lineage)) return [];
  // A number that is taken over there is no longer the one that was taken here.
  const others = c.lineage.value.filter((b) => lineage.every((l) => l.timeline !== b.timeline));
  const branches = [...others, ...lineage];
  return [{ kind: "record-fork", term, branches, revision: c.lineage.modRevision }];
}

/** The history of the other site, in the words that were ours where a row is. */
export function siteHistory(w: HaWorld, c: ClusterSnapshot, term: number): readonly HaUpkeep[] {
  const site = remoteOf(w);
  if (site === undefined || headOf(w.server.lineage)?.timeline !== site.timeline) return [];
  const old = c.history.value;
  const rows = site.history.map(({ timeline, endLsn, reason }): HistoryRow => {
    const own = old.find((row) => row.timeline === timeline && row.lsn === endLsn);
    return own ?? { timeline, lsn: endLsn, reason, at: undefined, newLeader: undefined };
  });
  const most = w.config.maxTimelinesHistory;
  const wanted = most > 0 ? rows.slice(-most) : rows;
  const isKept = wanted.length === old.length && wanted.every((row, index) => row === old[index]);
  return isKept ? [] : [{ kind: "write-history", term, rows: wanted }];
}

const isSame = (a: Branch, b: Branch): boolean =>
  a.timeline === b.timeline && a.term === b.term && a.forkLsn === b.forkLsn;

const isSamePath = (a: readonly Branch[], b: readonly Branch[]): boolean =>
  a.length === b.length && a.every((branch, index) => isSame(branch, b[index] ?? FIRST_BRANCH));
