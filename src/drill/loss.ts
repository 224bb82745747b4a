// What would have been lost if everything but the repository had burned when the drill began?
import { localTarget, withSession } from "../adapters/postgres/session.ts";
import type { DrillProof } from "../model/drill.ts";
import { type Lsn, lagBytes, parseLsn } from "../model/lsn.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { Rehearsal } from "./rehearsal.ts";

export interface Position {
  readonly position: Lsn;
  readonly atMs: number;
}

const LIMIT_MS = 5_000;
const SQL = `SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
  ELSE pg_current_wal_flush_lsn() END)::text AS at`;

/** What this member's server has of the cluster's WAL now; undefined when it does not answer, or streams from nobody. */
export async function positionOf({ postgres }: NodeSettings): Promise<Position | undefined> {
  const atMs = Date.now();
  try {
    const [row] = await withSession(localTarget(postgres), LIMIT_MS, (session) =>
      session.query(SQL, [], LIMIT_MS),
    );
    const position = parseLsn(String(row?.["at"]));
    return position === undefined ? undefined : { position, atMs };
  } catch {
    // A drill is also for the day on which no server is left.
    return undefined;
  }
}

/**
 * In time it is the age of the last commit that is there: at most so much is missing, and on a quiet cluster perhaps nothing.
 * Empty when recovery did not end, or when nobody could say where the cluster was.
 */
export function lossIn(
  { recovered }: Rehearsal,
  cluster: Position | undefined,
): Pick<DrillProof, "rpo"> {
  if (recovered === undefined || cluster === undefined) return {};
  const bytes = lagBytes(cluster.position, recovered.lsn);
  if (bytes === 0) return { rpo: { bytes, ms: 0 } };
  const { lastCommit } = recovered;
  if (lastCommit === undefined) return { rpo: { bytes } };
  return { rpo: { bytes, ms: Math.max(0, cluster.atMs - lastCommit.atMs) } };
}
