// What do sessions behind a pooler leave behind that its mode does not keep for them? Seen on the server, in use.
import type { PoolMode } from "./router-settings.ts";

/** What stands on server connections of one pool while no client has them. */
export interface PoolTraces {
  /** Advisory locks of a session. */
  readonly advisoryLocks: number;
  /** Temporary tables. */
  readonly temporaryTables: number;
  /** Connections whose last statement was LISTEN. */
  readonly listening: number;
  /** Connections whose last statement was a SET for the session. */
  readonly settings: number;
}

/**
 * Asks a server what stands on connections that come from a pooler ($1: its address, as the server sees it) and that
 * nobody uses at this moment. Statements are only looked at, never kept.
 */
export const TRACES_SQL = `
SELECT
  (SELECT count(*) FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.pid = ANY (pids))::int AS "advisoryLocks",
  (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relpersistence = 't' AND c.relkind = 'r' AND n.nspname ~ '^pg_temp')::int AS "temporaryTables",
  listening, settings
FROM (SELECT coalesce(array_agg(a.pid), '{}') AS pids,
    count(*) FILTER (WHERE a.query ~* '^\\s*listen\\s')::int AS listening,
    count(*) FILTER (WHERE a.query ~* '^\\s*set\\s+(session\\s+)?(?!local|transaction|constraints)')::int AS settings
  FROM pg_catalog.pg_stat_activity a
  WHERE a.state = 'idle' AND a.datname = pg_catalog.current_database() AND host(a.client_addr) = $1) seen`;

/** What the pool's mode breaks of what is in use, one sentence each; nothing in session mode. */
export function modeWarnings(
  database: string,
  mode: PoolMode,
  seen: PoolTraces,
): readonly string[] {
  if (mode === "session") return [];
  const sentences: readonly (readonly [number, string])[] = [
    [
      seen.advisoryLocks,
      "advisory locks stay with a connection that others use by now: take pg_advisory_xact_lock",
    ],
    [seen.temporaryTables, "temporary tables outlive their transaction: add ON COMMIT DROP"],
    [seen.listening, "LISTEN hears for whoever has the connection next: listen past the pooler"],
    [
      seen.settings,
      "SET reaches whoever has the connection next: take SET LOCAL, or ALTER ROLE … SET",
    ],
  ];
  return sentences
    .filter(([count]) => count > 0)
    .map(([count, why]) => `${database} (${mode} mode): ${count} × ${why}`);
}
