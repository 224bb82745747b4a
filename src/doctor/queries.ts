// What is asked of the server: catalogs and statistics only, and nothing that takes a lock.

export const SETTINGS = [
  "archive_mode",
  "autovacuum",
  "data_checksums",
  "fsync",
  "full_page_writes",
  "huge_pages_status",
  "track_counts",
  "wal_level",
  "wal_log_hints",
] as const;

const WHO = `format('%s of %s in %s, pid %s', coalesce(nullif(application_name, ''), 'a session'), usename, datname, pid)`;

export const SERVER_SQL = `
SELECT current_setting('server_version_num')::int AS version,
  pg_is_in_recovery() AS "inRecovery",
  (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name = ANY ($1)) AS settings,
  coalesce((SELECT json_agg(name ORDER BY name) FROM pg_settings WHERE pending_restart), '[]') AS "pendingRestart",
  pg_size_bytes(current_setting('shared_buffers'))::float8 AS "sharedBuffersBytes",
  pg_size_bytes(current_setting('work_mem'))::float8 AS "workMemBytes",
  (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS "maxConnections",
  coalesce((SELECT json_agg(rolname ORDER BY rolname) FROM pg_authid
    WHERE rolcanlogin AND rolpassword LIKE 'md5%'), '[]') AS "md5Roles",
  coalesce((SELECT json_agg(format('line %s: %s %s %s %s %s', line_number, type, array_to_string(database, ','),
      array_to_string(user_name, ','), address, auth_method) ORDER BY line_number)
    FROM pg_hba_file_rules
    WHERE error IS NULL AND type LIKE 'host%' AND coalesce(address, '') NOT IN ('127.0.0.1', '::1', 'localhost', 'samehost')
      AND (auth_method = 'trust' OR (auth_method = 'password' AND type <> 'hostssl'))), '[]') AS "openHbaRules",
  coalesce((SELECT json_agg(format('line %s: %s', line_number, error) ORDER BY line_number)
    FROM pg_hba_file_rules WHERE error IS NOT NULL), '[]') AS "hbaErrors",
  (SELECT json_build_object('seconds', extract(epoch FROM now() - min(state_change))::int, 'count', count(*)::int,
      'who', (array_agg(${WHO} ORDER BY state_change))[1])
    FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' HAVING count(*) > 0) AS "idleInTransaction",
  (SELECT json_build_object('seconds', extract(epoch FROM now() - min(xact_start))::int, 'count', count(*)::int,
      'who', (array_agg(${WHO} ORDER BY xact_start))[1])
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
    HAVING count(*) > 0) AS "longestTransaction",
  (SELECT json_build_object('seconds', extract(epoch FROM now() - min(prepared))::int, 'count', count(*)::int,
      'who', (array_agg(format('%s in %s', gid, database) ORDER BY prepared))[1])
    FROM pg_prepared_xacts HAVING count(*) > 0) AS "preparedTransactions",
  (SELECT json_build_object('isFailing',
      failed_count > 0 AND (last_archived_time IS NULL OR last_failed_time > last_archived_time),
      'lastFailed', coalesce(last_failed_wal, ''),
      'failedForSeconds', coalesce(extract(epoch FROM now() - last_archived_time)::int, 0))
    FROM pg_stat_archiver) AS archiver`;

/** Versions of collations are known to databases from 15 on. */
export const databasesSql = (version: number): string => `
SELECT datname AS name, age(datfrozenxid)::float8 AS "frozenAge", mxid_age(datminmxid)::float8 AS "multixactAge",
  ${
    version >= 150000
      ? `datcollversion AS recorded, pg_database_collation_actual_version(oid) AS actual`
      : `NULL AS recorded, NULL AS actual`
  },
  datallowconn AS "takesSessions"
FROM pg_database ORDER BY datname`;

const OURS = `n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`;

export const INSIDE_SQL = `
WITH sequences AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname, s.seqmax, s.seqincrement, pg_sequence_last_value(c.oid) AS at
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relpersistence = 'p' AND NOT s.seqcycle AND s.seqincrement > 0),
ends AS (
  SELECT q.*, least(q.seqmax, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
    ELSE q.seqmax END) AS last
  FROM sequences q
  LEFT JOIN pg_depend d ON d.objid = q.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_class'::regclass
  LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid)
SELECT
  coalesce((SELECT json_agg(format('%I.%I', n.nspname, c.relname) ORDER BY 1) FROM (
    SELECT c.* FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
      AND c.relreplident NOT IN ('i', 'f')
      AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)) c
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS}), '[]') AS "tablesWithoutKey",
  coalesce((SELECT json_agg(format('%I.%I', n.nspname, c.relname)) FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND ${OURS}), '[]') AS "unloggedTables",
  coalesce((SELECT json_agg(format('%I.%I (%s %%)', nspname, relname, round(100 * at::numeric / last)))
    FROM ends WHERE at >= last * 0.8), '[]') AS "sequencesNearEnd",
  coalesce((SELECT json_agg(e.extname ORDER BY e.extname) FROM pg_extension e
    WHERE NOT EXISTS (SELECT FROM pg_available_extensions v WHERE v.name = e.extname)), '[]') AS "extensionsMissing",
  coalesce((SELECT json_agg(format('%s: sorted by %s, this host has %s', c.collname, c.collversion,
      pg_collation_actual_version(c.oid)))
    FROM pg_collation c WHERE c.collversion IS NOT NULL AND c.collversion <> pg_collation_actual_version(c.oid)
      AND EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_collation'::regclass AND d.refobjid = c.oid)
    ), '[]') AS "collationsChanged",
  coalesce((SELECT json_agg(format('%s on %s', i.indexrelid::regclass, i.indrelid::regclass)) FROM pg_index i
    WHERE NOT i.indisvalid
      AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)), '[]')
    AS "invalidIndexes"`;
