// Which maintenance runs on this server now, and how large is a table? Looked up when somebody asks, never by itself.
import { AppError } from "../../model/error.ts";
import type { RelationFacts } from "../../model/maintenance/estimate.ts";
import type { RunningFacts } from "../../model/maintenance/running.ts";
import type { PostgresSettings } from "../../model/settings.ts";
import type { Ms } from "../../model/time.ts";
import { localTarget, type Row, withSession } from "./session.ts";

const LIMIT_MS: Ms = 5_000;
const LOCK_LIMIT_MS: Ms = 1_000;

/** Commands that can keep a table locked for long; sessions that keep others waiting are found whatever they run. */
const COMMANDS = String.raw`^\s*(vacuum|cluster|repack|create\s+(unique\s+)?index|reindex|alter\s+table|refresh\s+materialized)`;

const RUNNING = `
WITH waiting AS MATERIALIZED (
  SELECT pid, pg_blocking_pids(pid) AS by, extract(epoch FROM clock_timestamp() - query_start) * 1000 AS ms
  FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND backend_type = 'client backend' LIMIT 1000),
blocking AS (SELECT p AS pid, count(*) AS many, max(ms) AS ms FROM waiting, unnest(by) AS p GROUP BY p),
progress AS (
  SELECT pid, phase, blocks_done AS done, blocks_total AS total FROM pg_stat_progress_create_index
  UNION ALL SELECT pid, phase, heap_blks_scanned, heap_blks_total FROM pg_stat_progress_cluster)
SELECT a.pid, coalesce(a.datname, '') AS database, coalesce(a.usename, '') AS "user",
  coalesce(a.application_name, '') AS application, coalesce(a.state, '') AS state, left(a.query, 300) AS statement,
  extract(epoch FROM clock_timestamp() - CASE WHEN a.state LIKE 'idle in%' THEN a.xact_start ELSE a.query_start END)::float8
    * 1000 AS "forMs",
  a.pid IN (SELECT pid FROM waiting) AS waits, coalesce(b.many, 0)::int AS blocked, coalesce(b.ms, 0)::float8 AS "blockedMs",
  p.phase, CASE WHEN p.total > 0 THEN round(100.0 * p.done / p.total)::int END AS "donePercent"
FROM pg_stat_activity a LEFT JOIN blocking b USING (pid) LEFT JOIN progress p USING (pid)
WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
  AND (b.many > 0 OR (a.state = 'active' AND a.query ~* $1))
ORDER BY b.many DESC NULLS LAST LIMIT 50`;

/** Throws PG_SQL_…, within the limit for the session and again for the answer. */
export async function runningMaintenance(
  settings: PostgresSettings,
  limitMs: Ms = LIMIT_MS,
): Promise<readonly RunningFacts[]> {
  const rows = await withSession(localTarget(settings), limitMs, (session) =>
    session.query(RUNNING, [COMMANDS], limitMs),
  );
  return rows.map(withoutNulls) as unknown as readonly RunningFacts[];
}

const withoutNulls = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));

const RELATION = `
SELECT c.oid::regclass::text AS name, c.relkind AS kind,
  (SELECT coalesce(sum(pg_table_size(relid)), 0) FROM tree)::float8 AS "tableBytes",
  (SELECT coalesce(sum(pg_indexes_size(relid)), 0) FROM tree)::float8 AS "indexBytes",
  (SELECT count(*)::int FROM users) AS users,
  (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 * 1000 FROM users) AS "oldestMs"
FROM target c`;

const relationSql = (): string => `
WITH target AS MATERIALIZED (SELECT * FROM pg_class WHERE oid = to_regclass($1)),
owner AS (SELECT coalesce(i.indrelid, t.oid) AS oid FROM target t LEFT JOIN pg_index i ON i.indexrelid = t.oid),
tree AS (SELECT relid FROM owner, pg_partition_tree(owner.oid) UNION SELECT oid FROM owner),
users AS (SELECT DISTINCT a.pid, a.xact_start FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.relation IN (SELECT relid FROM tree) AND l.granted AND a.pid <> pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
${RELATION}`;

const KINDS: Readonly<Record<string, RelationFacts["kind"]>> = {
  r: "table",
  p: "partitioned table",
  i: "index",
  I: "index",
  m: "view",
};

/** Undefined when the database has none of that name on the superuser's path. Throws PG_SQL_… */
export async function relationFacts(
  settings: PostgresSettings,
  database: string,
  name: readonly string[],
): Promise<RelationFacts | undefined> {
  const quoted = name.map((part) => `"${part.replaceAll('"', '""')}"`).join(".");
  const target = { ...localTarget(settings), database };
  return withSession(target, LIMIT_MS, async (session) => {
    // Names without a schema are looked up where most sessions would.
    await session.query(`SET search_path = "$user", public`, [], LIMIT_MS);
    // Whoever measures a table opens it, and must not stand in a queue for that.
    await session.query(`SET lock_timeout = ${LOCK_LIMIT_MS}`, [], LIMIT_MS);
    const [row] = await session.query(relationSql(), [quoted], LIMIT_MS);
    if (row === undefined) return undefined;
    const kind = KINDS[String(row["kind"])] ?? "other";
    return { ...(row as unknown as RelationFacts), kind };
  }).catch((error: unknown) => {
    if (error instanceof AppError) throw error;
    throw new AppError("PG_SQL_FAILED", `looking at ${name.join(".")}`, String(error), error);
  });
}
