// How much WAL lies in the data directory, on what disk, and what do archiver and slots say about it?
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Ms } from "../../model/time.ts";
import type { WalLook } from "../../model/wal-report.ts";
import { diskSpace } from "./directory.ts";
import type { Session } from "./session.ts";

/** Rows as JSON, so that columns which only some versions have are simply absent from the others. */
const WAL_LOOK = `
SELECT json_build_object(
  'segment', pg_size_bytes(current_setting('wal_segment_size')),
  'maxWal', pg_size_bytes(current_setting('max_wal_size')),
  'keep', pg_size_bytes(current_setting('wal_keep_size')),
  'mode', current_setting('archive_mode'),
  'archived', a.archived_count, 'failed', a.failed_count,
  'lastArchived', a.last_archived_wal,
  'lastArchivedMs', extract(epoch FROM clock_timestamp() - a.last_archived_time) * 1000,
  'lastFailed', a.last_failed_wal,
  'lastFailedMs', extract(epoch FROM clock_timestamp() - a.last_failed_time) * 1000,
  'slots', (SELECT coalesce(json_agg(json_build_object('name', s.slot_name, 'safe', s.safe_wal_size,
    'inactiveMs', extract(epoch FROM clock_timestamp() - (to_jsonb(s) ->> 'inactive_since')::timestamptz) * 1000,
    'failover', coalesce((to_jsonb(s) ->> 'failover')::bool, false))), '[]') FROM pg_replication_slots s)
) AS look FROM pg_stat_archiver a`;

interface WalRow {
  readonly segment: number;
  readonly maxWal: number;
  readonly keep: number;
  readonly mode: string;
  readonly archived: number;
  readonly failed: number;
  readonly lastArchived: string | null;
  readonly lastArchivedMs: number | null;
  readonly lastFailed: string | null;
  readonly lastFailedMs: number | null;
  readonly slots: readonly {
    readonly name: string;
    readonly safe: number | null;
    readonly inactiveMs: number | null;
    readonly failover: boolean;
  }[];
}

const SEGMENT = /^[0-9A-F]{24}$/;

export async function lookAtWal(
  session: Session,
  dataDir: string,
  timeoutMs: Ms,
): Promise<WalLook> {
  const place = join(dataDir, "pg_wal");
  const [rows, names, states, disk] = await Promise.all([
    session.query(WAL_LOOK, [], timeoutMs),
    readdir(place),
    readdir(join(place, "archive_status")).catch((): readonly string[] => []),
    diskSpace(place),
  ]);
  const row = rows[0]?.["look"] as WalRow;
  const count = names.filter((name) => SEGMENT.test(name)).length;
  return {
    files: { count, bytes: count * row.segment },
    disk: disk === undefined ? undefined : { freeBytes: disk.free, totalBytes: disk.total },
    waiting: states.filter((name) => name.endsWith(".ready")).length,
    archiver: {
      mode: row.mode,
      archived: row.archived,
      failed: row.failed,
      lastArchived: fileOf(row.lastArchived, row.lastArchivedMs),
      lastFailed: fileOf(row.lastFailed, row.lastFailedMs),
    },
    maxWalBytes: row.maxWal,
    keepBytes: row.keep,
    slots: row.slots.map(({ name, safe, inactiveMs, failover }) => ({
      name,
      safeBytes: safe ?? undefined,
      inactiveMs: inactiveMs ?? undefined,
      failover,
    })),
  };
}

const fileOf = (file: string | null, ageMs: number | null) =>
  file === null || ageMs === null ? undefined : { file, ageMs: Math.round(ageMs) };
