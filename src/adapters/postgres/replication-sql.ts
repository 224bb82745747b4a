// What does a server say about those that it feeds, and about itself as a standby? One statement, from 14 to 18.
import { RECEIVER_NAME } from "../../model/vault-state.ts";

/**
 * The process that replays is unknown to pg_blocking_pids, so who holds what it waits for is read from the locks.
 * $1: whether queries that may hold replay back are asked for. The locks are looked at only while replay waits for one,
 * since that look stops others for a moment.
 */
export const REPLICATION_LOOK = `
SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'end', CASE WHEN r.rec THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
    ELSE pg_current_wal_lsn() END,
  'processes', (SELECT coalesce(json_agg(json_build_object('pid', pid, 'kind', backend_type,
    'waits', concat(wait_event_type, CASE WHEN wait_event IS NOT NULL THEN '/' END, wait_event))), '[]')
    FROM pg_stat_activity WHERE backend_type IN ('walsender', 'walreceiver', 'startup')),
  'senders', (SELECT coalesce(json_agg(json_build_object('pid', pid, 'name', application_name,
    'address', host(client_addr), 'port', client_port, 'state', state, 'sync', sync_state,
    'sent', sent_lsn, 'write', write_lsn, 'flush', flush_lsn, 'replay', replay_lsn,
    'writeLagMs', extract(epoch FROM write_lag) * 1000, 'flushLagMs', extract(epoch FROM flush_lag) * 1000,
    'replayLagMs', extract(epoch FROM replay_lag) * 1000,
    'replyAgeMs', extract(epoch FROM clock_timestamp() - reply_time) * 1000)), '[]')
    FROM pg_stat_replication
    WHERE state <> 'backup' AND state <> 'startup' AND application_name NOT IN ('pg_basebackup', '${RECEIVER_NAME}')),
  'standby', CASE WHEN r.rec THEN json_build_object(
    'replayed', pg_last_wal_replay_lsn(),
    'paused', pg_get_wal_replay_pause_state() <> 'not paused',
    'applyDelay', (SELECT setting::bigint FROM pg_settings WHERE name = 'recovery_min_apply_delay'),
    'feedback', current_setting('hot_standby_feedback')::bool,
    'longestWait', (SELECT setting::bigint FROM pg_settings WHERE name = 'max_standby_streaming_delay'),
    'conflicts', (SELECT json_build_object('tablespace', sum(confl_tablespace), 'lock', sum(confl_lock),
      'snapshot', sum(confl_snapshot), 'buffer pin', sum(confl_bufferpin), 'deadlock', sum(confl_deadlock))
      FROM pg_stat_database_conflicts),
    'receiver', (SELECT json_build_object('pid', pid, 'status', status, 'slot', slot_name,
      'host', sender_host, 'port', sender_port, 'written', written_lsn, 'flushed', flushed_lsn,
      'latestEnd', latest_end_lsn,
      'messageAgeMs', extract(epoch FROM clock_timestamp() - last_msg_receipt_time) * 1000)
      FROM pg_stat_wal_receiver WHERE pid IS NOT NULL LIMIT 1),
    'queries', CASE WHEN $1 THEN (SELECT coalesce(json_agg(q), '[]') FROM (
      SELECT a.pid, a.usename AS user, a.application_name AS application,
        extract(epoch FROM clock_timestamp() - a.xact_start) * 1000 AS "ageMs",
        coalesce(a.pid = ANY (b.pids), false) AS blocks
      FROM pg_stat_activity a,
        (SELECT CASE WHEN wait_event_type = 'Lock' THEN (SELECT array_agg(holder.pid)
          FROM pg_locks waiter JOIN pg_locks holder ON holder.granted AND holder.pid <> waiter.pid
            AND holder.locktype = waiter.locktype
            AND holder.database IS NOT DISTINCT FROM waiter.database
            AND holder.relation IS NOT DISTINCT FROM waiter.relation
          WHERE waiter.pid = s.pid AND NOT waiter.granted) END AS pids
          FROM pg_stat_activity s WHERE backend_type = 'startup') b
      WHERE a.backend_type = 'client backend' AND a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid()
      ORDER BY blocks DESC, a.xact_start LIMIT 3) q) END
  ) END
) AS look FROM (SELECT pg_is_in_recovery() AS rec OFFSET 0) r`;

export interface ReplicationRow {
  readonly version: number;
  readonly end: string | null;
  readonly processes: readonly {
    readonly pid: number;
    readonly kind: string;
    readonly waits: string;
  }[];
  readonly senders: readonly SenderRow[];
  readonly standby: StandbyRow | null;
}

export interface SenderRow {
  readonly pid: number;
  readonly name: string | null;
  readonly address: string | null;
  readonly port: number | null;
  readonly state: string | null;
  readonly sync: string | null;
  readonly sent: string | null;
  readonly write: string | null;
  readonly flush: string | null;
  readonly replay: string | null;
  readonly writeLagMs: number | null;
  readonly flushLagMs: number | null;
  readonly replayLagMs: number | null;
  readonly replyAgeMs: number | null;
}

export interface StandbyRow {
  readonly replayed: string | null;
  readonly paused: boolean;
  readonly applyDelay: number;
  readonly feedback: boolean;
  /** -1: without limit. */
  readonly longestWait: number;
  readonly conflicts: Readonly<Record<string, number | null>>;
  readonly receiver: {
    readonly pid: number;
    readonly status: string | null;
    readonly slot: string | null;
    readonly host: string | null;
    readonly port: number | null;
    readonly written: string | null;
    readonly flushed: string | null;
    readonly latestEnd: string | null;
    readonly messageAgeMs: number | null;
  } | null;
  readonly queries:
    | readonly {
        readonly pid: number;
        readonly user: string | null;
        readonly application: string | null;
        readonly ageMs: number;
        readonly blocks: boolean;
      }[]
    | null;
}
