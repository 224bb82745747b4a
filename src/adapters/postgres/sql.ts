// What does the running server say about itself? One statement, one round trip, the same from version 14 to 18.
import { type Lsn, maxLsn, parseLsn, ZERO_LSN } from "../../model/lsn.ts";
import type { PendingRestart, SlotState, SqlState, WalSender } from "../../model/server.ts";
import { parseConninfo } from "./conninfo.ts";

/**
 * CASE keeps the functions of the other role from being called; a promotion in the midst of the statement fails it,
 * which is one look that says nothing.
 */
export const LOOK = `
SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'inRecovery', r.rec,
  'walLevel', current_setting('wal_level'),
  'startedAt', pg_postmaster_start_time()::text,
  'sharedSince', (SELECT backend_start::text FROM pg_stat_activity WHERE backend_type = 'checkpointer'),
  'flushed', CASE WHEN NOT r.rec THEN pg_current_wal_flush_lsn() END,
  'walFile', CASE WHEN NOT r.rec THEN pg_walfile_name(pg_current_wal_lsn()) END,
  'received', CASE WHEN r.rec THEN pg_last_wal_receive_lsn() END,
  'replayed', CASE WHEN r.rec THEN pg_last_wal_replay_lsn() END,
  'replayedAt', CASE WHEN r.rec THEN pg_last_xact_replay_timestamp()::text END,
  'paused', CASE WHEN r.rec THEN pg_is_wal_replay_paused() ELSE false END,
  'startupWaits', CASE WHEN r.rec THEN
    (SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'startup') END,
  'conninfo', current_setting('primary_conninfo'),
  'syncNames', current_setting('synchronous_standby_names'),
  'receiver', (SELECT json_build_object('status', status, 'host', sender_host, 'port', sender_port,
    'slot', slot_name, 'flushed', flushed_lsn, 'timeline', received_tli)
    FROM pg_stat_wal_receiver WHERE status IS NOT NULL LIMIT 1),
  'senders', (SELECT coalesce(json_agg(json_build_object('name', application_name, 'state', state,
    'sent', sent_lsn, 'write', write_lsn, 'flush', flush_lsn, 'replay', replay_lsn,
    'sync', sync_state, 'priority', sync_priority::text, 'address', host(client_addr), 'user', usename)), '[]') FROM pg_stat_replication),
  'slots', (SELECT coalesce(json_agg(json_build_object('name', slot_name, 'kind', slot_type,
    'active', active, 'restart', restart_lsn, 'walStatus', wal_status, 'temporary', temporary,
    'database', database, 'plugin', plugin, 'catalogXmin', catalog_xmin::text::bigint,
    'confirmed', confirmed_flush_lsn)), '[]')
    FROM pg_replication_slots),
  'slotLimit', current_setting('max_slot_wal_keep_size'),
  'pending', CASE WHEN $1 THEN (SELECT coalesce(json_agg(json_build_object('name', name,
    'value', current_setting(name))), '[]') FROM pg_settings WHERE pending_restart) END
) AS look FROM (SELECT pg_is_in_recovery() AS rec OFFSET 0) r`;

export interface Look {
  readonly version: number;
  readonly inRecovery: boolean;
  readonly walLevel: string;
  readonly startedAt: string;
  readonly sharedSince: string | null;
  readonly flushed: string | null;
  readonly walFile: string | null;
  readonly received: string | null;
  readonly replayed: string | null;
  readonly replayedAt: string | null;
  readonly paused: boolean;
  readonly startupWaits: string | null;
  readonly conninfo: string;
  readonly syncNames: string;
  readonly receiver: {
    readonly status: string;
    readonly host: string | null;
    readonly port: number | null;
    readonly slot: string | null;
    readonly flushed: string | null;
    readonly timeline: number | null;
  } | null;
  readonly senders: readonly Record<string, string | null>[];
  readonly slots: readonly {
    readonly name: string;
    readonly kind: "physical" | "logical";
    readonly active: boolean;
    readonly restart: string | null;
    readonly walStatus: string | null;
    readonly temporary: boolean;
    readonly catalogXmin: number | null;
    readonly database: string | null;
    readonly plugin: string | null;
    readonly confirmed: string | null;
  }[];
  readonly slotLimit: string;
  readonly pending: readonly { readonly name: string; readonly value: string }[] | null;
}

export interface LookContext {
  /** From the control file those of the last checkpoint and of what recovery has flushed, and the newest in pg_wal. */
  readonly timelinesOnDisk: readonly number[];
  readonly pendingRestart: readonly PendingRestart[];
}

/** The startup process sleeps in one of these only when archive and directory have nothing more to replay. */
const WAITS_AT_END = new Set(["RecoveryRetrieveRetryInterval", "RecoveryWalStream"]);

export function readLook(look: Look, context: LookContext): SqlState {
  const received = position(look.received);
  const replayed = position(look.replayed);
  const flushed = position(look.flushed);
  return {
    version: look.version,
    inRecovery: look.inRecovery,
    walLevel: look.walLevel,
    timeline: timelineOf(look, context),
    // Both are on disk: the server calls "received" what its walreceiver has flushed (R23).
    position: flushed ?? maxLsn(received ?? ZERO_LSN, replayed ?? ZERO_LSN),
    receivedLsn: received,
    replayedLsn: replayed,
    replayedAtText: look.replayedAt ?? undefined,
    exhausted: isExhausted(look),
    replayPaused: look.paused,
    walReceiver: receiverOf(look),
    senders: look.senders.map(senderOf),
    slots: look.slots.map(slotOf),
    slotLimitBytes: bytesOf(look.slotLimit),
    pendingRestart: context.pendingRestart,
    startedAtText: look.startedAt,
    sharedSinceText: look.sharedSince ?? look.startedAt,
    syncNames: look.syncNames,
    upstream: upstreamOf(look.conninfo),
  };
}

/**
 * A walreceiver is asked for only after everything local has been replayed, and the position it left behind stays
 * for the life of the server. Without an upstream the startup process shows it by what it waits for.
 */
const isExhausted = ({ inRecovery, received, startupWaits }: Look): boolean =>
  !inRecovery || received !== null || (startupWaits !== null && WAITS_AT_END.has(startupWaits));

/**
 * On a standby nobody says which timeline is being replayed; the newest of those that the control file, the WAL on disk
 * and the walreceiver know has at least been reached by what counts as position. The control file follows minutes
 * later, and a walreceiver goes with its primary: then only the WAL tells.
 */
function timelineOf(look: Look, { timelinesOnDisk }: LookContext): number {
  if (look.walFile !== null) return Number.parseInt(look.walFile.slice(0, 8), 16);
  return Math.max(...timelinesOnDisk, look.receiver?.timeline ?? 0);
}

function receiverOf({ receiver }: Look): SqlState["walReceiver"] {
  if (receiver === null) return undefined;
  return {
    status: receiver.status,
    host: receiver.host ?? "",
    port: receiver.port ?? 0,
    slot: receiver.slot ?? "",
    flushedLsn: position(receiver.flushed),
    timeline: receiver.timeline ?? 0,
  };
}

const senderOf = (row: Look["senders"][number]): WalSender => ({
  name: row["name"] ?? "",
  state: row["state"] ?? "",
  sentLsn: position(row["sent"]),
  writeLsn: position(row["write"]),
  flushLsn: position(row["flush"]),
  replayLsn: position(row["replay"]),
  syncState: row["sync"] ?? "",
  syncPriority: Number(row["priority"] ?? 0),
  clientAddress: row["address"] ?? "",
  user: row["user"] ?? "",
});

const slotOf = (row: Look["slots"][number]): SlotState => ({
  name: row.name,
  kind: row.kind,
  active: row.active,
  restartLsn: position(row.restart),
  walStatus: row.walStatus ?? "",
  temporary: row.temporary,
  catalogXmin: row.catalogXmin ?? undefined,
  logical:
    row.kind === "logical"
      ? {
          database: row.database ?? "",
          plugin: row.plugin ?? "",
          confirmedLsn: position(row.confirmed),
        }
      : undefined,
});

const UNITS = ["MB", "GB", "TB"] as const;

/** A size as the server prints it, e.g. `8GB`, whole megabytes at least; -1 means that there is no limit. */
export function bytesOf(setting: string): number | undefined {
  const match = /^(\d+)(MB|GB|TB)?$/.exec(setting);
  if (match === null) return undefined;
  const unit = Math.max(0, UNITS.indexOf((match[2] ?? "MB") as (typeof UNITS)[number]));
  return Number(match[1]) * 1024 ** (unit + 2);
}

const position = (text: string | null | undefined): Lsn | undefined =>
  typeof text === "string" ? parseLsn(text) : undefined;

export function upstreamOf(conninfo: string): string | undefined {
  const { host, port } = parseConninfo(conninfo);
  return host === undefined || host === "" ? undefined : `${host}:${port ?? "5432"}`;
}
