// S2: with synchronous standbys no acknowledged write is lost, whatever fails. Nothing excuses it but a person's order.
//
// Judged from the client's side: what it was told is done must be on every history that is begun afterwards. It counts
// from the moment at which the store first says who may be elected; before that nothing was promised.
import type { SyncState } from "../../model/sync.ts";
import { parseSync } from "../../model/wire/dcs.ts";
import type { SimCluster } from "../cluster.ts";
import type { Truth } from "../truth.ts";
import { contains } from "../wal.ts";
import type { AcknowledgedRow } from "../workload.ts";
import { isAskedFor, type MakeChecker } from "./checker.ts";

const SYNC_KEY = "/service/demo/sync";

export const syncNoLoss: MakeChecker = (context) => {
  const { cluster, workload, violate, isSynchronous } = context;
  if (!isSynchronous) return {};
  let seen = 0;
  let isPromised = false;
  let kept: AcknowledgedRow[] = [];
  let newest: Acknowledged | undefined;
  let read:
    | { readonly text: string | undefined; readonly state: SyncState | undefined }
    | undefined;
  const permitted = (): SyncState | undefined => {
    const text = cluster.store.state.keys.get(SYNC_KEY)?.value;
    if (read === undefined || read.text !== text) read = { text, state: parseSync(text) };
    return read.state;
  };
  const takeNew = (): void => {
    for (; seen < workload.acknowledged.length; seen++) {
      const row = workload.acknowledged[seen];
      if (row !== undefined && isPromised) kept.push(row);
    }
  };
  const judge = (what: string, isThere: (row: AcknowledgedRow) => boolean): void => {
    const lost = kept.filter((row) => !isThere(row));
    if (lost.length === 0) return;
    kept = kept.filter(isThere);
    const [first] = lost;
    violate("S2", `${lost.length} rows (row ${first?.row} of ${first?.host}) are not on ${what}`);
  };
  return {
    see(truth) {
      if (truth.kind === "acknowledged") {
        takeNew();
        isPromised ||= cluster.store.state.keys.has(SYNC_KEY);
        newest = truth;
      }
      const isJudged = truth.kind === "acknowledged" || truth.kind === "stored";
      const why =
        isJudged && newest !== undefined ? missedBy(cluster, newest, permitted()) : undefined;
      if (why !== undefined) violate("S2", why);
      if (truth.kind !== "promoted") return;
      takeNew();
      const { branch, host } = truth;
      const isThere = (row: AcknowledgedRow): boolean =>
        contains(branch, Number.POSITIVE_INFINITY, row.branch, row.lsn);
      if (isAskedFor(context, host)) kept = kept.filter(isThere);
      else judge(`${host}'s timeline ${branch.timeline}`, isThere);
    },
    finish() {
      takeNew();
      const primary = cluster.writable();
      const data = primary?.server.data;
      if (primary === undefined || data === undefined) return;
      judge(primary.name, (row) => contains(data.branch, data.end, row.branch, row.lsn));
    },
  };
};

type Acknowledged = Extract<Truth, { kind: "acknowledged" }>;

/** Without waiting for a failover: an election that the store permits at this moment and that would miss this row. */
function missedBy(
  cluster: SimCluster,
  row: Acknowledged,
  state: SyncState | undefined,
): string | undefined {
  if (state?.leader !== row.host || cluster.store.isForeign) return undefined;
  const own = cluster.hosts.get(row.host)?.server.data?.systemId;
  const lacking = state.standbys.filter((name) => {
    const data = cluster.hosts.get(name)?.server.data;
    // Whoever has no data of this cluster at the moment can neither be elected nor vote.
    if (data === undefined || data.systemId !== own) return false;
    return !contains(data.branch, data.flushed, row.branch, row.lsn);
  });
  if (lacking.length <= state.quorum) return undefined;
  return `row ${row.row} of ${row.host} is not on ${lacking.join(" and ")}, who may elect with ${state.quorum} votes`;
}
