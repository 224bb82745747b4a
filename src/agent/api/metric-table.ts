// Which numbers does `/metrics` carry? Patroni's names first, so that existing dashboards go on working.
import type { DrillMemory } from "../../model/drill-memory.ts";
import { valueOf } from "../../model/known.ts";
import { isValid } from "../../model/lease.ts";
import type { Lsn } from "../../model/lsn.ts";
import type { SqlState } from "../../model/server.ts";
import { between, type Instant } from "../../model/time.ts";
import { PUBLISHED_VERSION } from "../../model/wire/member.ts";
import { isPublicStandby, METRIC_OF_STANDBY } from "../../model/wire/metric-words.ts";
import { stateNumber } from "../../model/wire/role.ts";
import type { ShelfJson } from "../../model/wire/vault.ts";
import { acceptsWrites, isWritable, syncPart } from "./health.ts";
import type { View } from "./node-view.ts";
import type { Moment } from "./own-status.ts";

export interface Sample {
  readonly view: View;
  /** What this member remembers of its drills; undefined where it made none. */
  readonly drill: DrillMemory | undefined;
  readonly sql: SqlState | undefined;
  readonly now: Instant;
  readonly wallMs: number;
}

export interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  /** Undefined: the sample is left out. */
  readonly read: (sample: Sample) => number | undefined;
}

export const sampleOf = (
  view: View,
  drill: DrillMemory | undefined,
  { now, wallMs }: Moment,
): Sample => ({
  view,
  drill,
  sql: view.server === undefined ? undefined : valueOf(view.server.seen.sql),
  now,
  wallMs,
});

const flag = (value: boolean | undefined): number => (value === true ? 1 : 0);
const bytes = (at: Lsn | undefined): number => (at === undefined ? 0 : Number(at));
const inSeconds = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : ms / 1000;
const epoch = (text: string | undefined): number => {
  const ms = text === undefined ? Number.NaN : Date.parse(text.replace(/([+-]\d{2})$/, "$1:00"));
  return Number.isNaN(ms) ? 0 : ms / 1000;
};

/** 4.1.4 → 40104. */
const versionNumber = (version: string): number =>
  version.split(".").reduce((sum, part) => sum * 100 + Number(part), 0);

const gauge = (name: string, help: string, read: Metric["read"]): Metric => ({
  name,
  type: "gauge",
  help,
  read,
});
const counter = (name: string, help: string, read: Metric["read"]): Metric => ({
  ...gauge(name, help, read),
  type: "counter",
});

const PATRONI: readonly Metric[] = [
  gauge("patroni_version", "version of Patroni's interface that is spoken", () =>
    versionNumber(PUBLISHED_VERSION),
  ),
  gauge("patroni_postgres_running", "PostgreSQL runs", ({ view }) =>
    flag(view.member.state === "running"),
  ),
  gauge(
    "patroni_postmaster_start_time",
    "when PostgreSQL was started, in epoch seconds",
    ({ sql }) => epoch(sql?.startedAtText),
  ),
  gauge("patroni_primary", "this member is the primary", ({ view }) =>
    flag(view.member.role === "primary"),
  ),
  gauge("patroni_standby_leader", "this member leads a standby cluster", ({ view }) =>
    flag(view.member.role === "standby leader"),
  ),
  gauge(METRIC_OF_STANDBY, "this member is a standby", ({ view }) =>
    flag(isPublicStandby(view.member.role)),
  ),
  gauge("patroni_sync_standby", "this member is a synchronous standby", ({ view }) =>
    flag(syncPart(view) === "sync_standby"),
  ),
  gauge("patroni_quorum_standby", "this member is a quorum standby", ({ view }) =>
    flag(syncPart(view) === "quorum_standby"),
  ),
  counter("patroni_xlog_location", "end of WAL on the primary, in bytes", ({ sql }) =>
    sql?.inRecovery === false ? bytes(sql.position) : 0,
  ),
  counter("patroni_xlog_received_location", "end of received WAL, in bytes", ({ sql }) =>
    sql?.inRecovery === true ? bytes(sql.receivedLsn ?? sql.replayedLsn) : 0,
  ),
  counter("patroni_xlog_replayed_location", "end of replayed WAL, in bytes", ({ sql }) =>
    sql?.inRecovery === true ? bytes(sql.replayedLsn) : 0,
  ),
  gauge("patroni_xlog_replayed_timestamp", "time of the last replayed commit", ({ sql }) =>
    epoch(sql?.replayedAtText),
  ),
  gauge("patroni_xlog_paused", "replay is paused", ({ sql }) => flag(sql?.replayPaused)),
  gauge("patroni_postgres_streaming", "the standby streams", ({ view }) =>
    flag(view.member.replicationState === "streaming"),
  ),
  gauge("patroni_postgres_in_archive_recovery", "the standby reads from the archive", ({ view }) =>
    flag(view.member.replicationState === "in archive recovery"),
  ),
  gauge("patroni_postgres_server_version", "version of PostgreSQL", ({ sql }) => sql?.version ?? 0),
  gauge("patroni_cluster_unlocked", "nobody leads", ({ view }) =>
    flag(view.cluster !== undefined && view.cluster.seen.leader === undefined),
  ),
  gauge("patroni_failsafe_mode_is_active", "failsafe mode keeps the primary going", ({ view }) =>
    flag(view.byPeers),
  ),
  gauge("patroni_failsafe_mode_enabled", "failsafe mode is on", ({ view }) =>
    flag(view.config.failsafeMode),
  ),
  gauge("patroni_failsafe_member", "this member stands in the list that must promise", ({ view }) =>
    flag(view.member.name in (view.cluster?.seen.roster.value ?? {})),
  ),
  gauge("patroni_postgres_timeline", "timeline of this server", ({ sql }) => sql?.timeline ?? 0),
  gauge("patroni_dcs_last_seen", "when the store was last read, in epoch seconds", (sample) => {
    const at = sample.view.cluster?.at;
    return at === undefined ? 0 : Math.floor((sample.wallMs - between(at, sample.now)) / 1000);
  }),
  gauge("patroni_pending_restart", "parameters wait for a restart", ({ view }) =>
    flag(view.member.pendingRestart.length > 0),
  ),
  gauge("patroni_is_paused", "the cluster is paused", ({ view }) => flag(view.config.paused)),
  gauge("patroni_postgres_state", "what PostgreSQL is doing, as Patroni's number", ({ view }) =>
    stateNumber(view.member.state),
  ),
  gauge("patroni_failover_priority", "priority of this member", ({ view }) =>
    view.member.tags.nofailover ? 0 : view.member.tags.failoverPriority,
  ),
];

const OURS: readonly Metric[] = [
  gauge("understudy_writable", "writes are taken under a valid lease", ({ view, now }) =>
    flag(isWritable(view, now)),
  ),
  gauge("understudy_server_accepts_writes", "the server would take writes", ({ view }) =>
    flag(acceptsWrites(view)),
  ),
  gauge("understudy_lease_seconds_left", "how long the lease is still valid", ({ view, now }) =>
    isValid(view.lease, now) ? inSeconds(between(now, view.lease.validUntil)) : 0,
  ),
  gauge(
    "understudy_lease_term",
    "term of the lease, 0 without one",
    ({ view }) => view.lease?.term ?? 0,
  ),
  gauge("understudy_fence_alive", "the fence process answers", ({ view }) =>
    flag(view.fence.alive),
  ),
  gauge("understudy_fence_armed", "the fence would stop PostgreSQL at its deadline", ({ view }) =>
    flag(view.fence.armed !== undefined),
  ),
  gauge(
    "understudy_fence_round_trip_seconds",
    "the fence's last answer took this long",
    ({ view }) => inSeconds(view.fence.roundTripMs),
  ),
  gauge(
    "understudy_fence_lacking",
    "privileges that the fence could not get",
    ({ view }) => view.fence.lacking.length,
  ),
  gauge(
    "understudy_loop_duration_seconds",
    "the last round of the loop took this long",
    ({ view }) => inSeconds(view.loop.lastTickMs),
  ),
  gauge("understudy_loop_age_seconds", "time since the last round of the loop", ({ view, now }) =>
    view.loop.lastTickAt === undefined ? undefined : inSeconds(between(view.loop.lastTickAt, now)),
  ),
  gauge("understudy_event_loop_delay_seconds", "how late the agent's event loop was", ({ view }) =>
    inSeconds(view.loop.eventLoopDelayMs),
  ),
  gauge("understudy_job_running", "a long step is running", ({ view }) =>
    flag(view.job !== undefined),
  ),
  gauge(
    "understudy_config_warnings",
    "adjusted or refused settings in the store",
    ({ view }) => view.cluster?.seen.configWarnings.length ?? 0,
  ),
  gauge(
    "understudy_disk_free_bytes",
    "free space beside the data",
    ({ view }) => view.server?.seen.diskFreeBytes,
  ),
  gauge("understudy_slots", "replication slots on this server", ({ view }) => view.slots.length),
  gauge(
    "understudy_slots_idle",
    "slots that nobody reads; on a standby all of them are copies",
    ({ view }) => view.slots.filter(({ slot }) => !slot.active).length,
  ),
  gauge(
    "understudy_slots_unknown",
    "slots that neither a member nor the configuration explains",
    ({ view }) => view.slots.filter(({ use }) => use === "unknown").length,
  ),
  gauge(
    "understudy_slots_lost",
    "slots whose WAL is gone or may go at any time",
    ({ view }) =>
      view.slots.filter(({ slot }) => ["lost", "unreserved"].includes(slot.walStatus)).length,
  ),
  gauge("understudy_slots_retained_bytes", "WAL kept by the slot that keeps most", ({ view }) =>
    Math.max(0, ...view.slots.map(({ retainedBytes }) => retainedBytes ?? 0)),
  ),
  gauge(
    "understudy_slot_limit_bytes",
    "what a slot may keep; absent where there is no limit",
    ({ sql }) => sql?.slotLimitBytes,
  ),
  gauge(
    "understudy_incidents_ongoing",
    "troubles of the cluster that are not over",
    ({ view }) => view.incidents?.ongoing,
  ),
  gauge(
    "understudy_incidents_unacknowledged",
    "incidents that nobody has said to have looked at",
    ({ view }) => view.incidents?.unacknowledged,
  ),
  gauge("understudy_binaries_changed", "newer server programs are installed", ({ view }) =>
    flag(view.server?.seen.binariesChanged),
  ),
];

/** Absent where no backups are configured. */
const VAULT: readonly Metric[] = [
  gauge(
    "understudy_wal_waiting_files",
    "WAL files that PostgreSQL keeps because the archive lacks them",
    ({ view }) => view.vault?.waiting.files,
  ),
  gauge(
    "understudy_wal_waiting_bytes",
    "how much WAL waits for the archive",
    ({ view }) => view.vault?.waiting.bytes,
  ),
  gauge("understudy_wal_waiting_seconds", "how long the first of it has waited", ({ view }) =>
    view.vault === undefined ? undefined : (inSeconds(view.vault.waiting.oldestMs) ?? 0),
  ),
  gauge(
    "understudy_wal_budget_bytes",
    "how much may wait before the alarm",
    ({ view }) => view.vault?.budgetBytes,
  ),
  gauge("understudy_wal_gaps", "holes in the WAL archive, in all repositories", ({ view }) =>
    view.vault?.repositories.reduce((sum, { gaps }) => sum + gaps.length, 0),
  ),
  gauge(
    "understudy_vault_warnings",
    "what a person should know about the archive",
    ({ view }) => view.vault?.warnings.length,
  ),
];

/** Of all repositories the worst; undefined while one has none of it, and where nothing has been looked at. */
function oldestOf(
  { view, wallMs }: Sample,
  momentIn: (base: NonNullable<ShelfJson["base"]>) => number | undefined,
): number | undefined {
  const bases = (view.vault?.repositories ?? []).flatMap(({ base }) => base ?? []);
  const moments = bases.flatMap((base) => momentIn(base) ?? []);
  if (moments.length === 0 || moments.length < bases.length) return undefined;
  return inSeconds(Math.max(0, wallMs - Math.min(...moments)));
}

/** Absent where no backups are configured. */
const KEEPING: readonly Metric[] = [
  gauge("understudy_base_backups", "base backups in the repository that has fewest", ({ view }) => {
    const counts = (view.vault?.repositories ?? []).flatMap(({ base }) => base?.backups ?? []);
    return counts.length === 0 ? undefined : Math.min(...counts);
  }),
  gauge(
    "understudy_base_backup_age_seconds",
    "since the newest base backup of a repository was begun, in the one that is furthest behind",
    (sample) => oldestOf(sample, ({ newestAtMs }) => newestAtMs),
  ),
  gauge(
    "understudy_base_backup_verified_age_seconds",
    "since a base backup was last read back and found right, in the repository that is furthest behind",
    (sample) => oldestOf(sample, ({ verifiedAtMs }) => verifiedAtMs),
  ),
  gauge(
    "understudy_schedule_warnings",
    "jobs of the schedule that failed or have not ended well for long",
    ({ view }) => view.scheduleWarnings?.length,
  ),
];

/** Of the drills that this member made; absent where it made none. */
const DRILL: readonly Metric[] = [
  gauge("understudy_drill_last_passed", "the last drill of this member passed", ({ drill }) =>
    drill === undefined ? undefined : flag(drill.last.outcome === "passed"),
  ),
  gauge(
    "understudy_drill_last_timestamp_seconds",
    "when the last drill of this member ended, in epoch seconds",
    ({ drill }) => inSeconds(drill?.last.endedAtMs),
  ),
  gauge(
    "understudy_drill_last_success_timestamp_seconds",
    "when the last drill of this member that passed ended, in epoch seconds",
    ({ drill }) => inSeconds(drill?.lastPassedAtMs),
  ),
  gauge(
    "understudy_drill_rto_seconds",
    "how long its last drill took until the copy took writes",
    ({ drill }) => inSeconds(drill?.last.rtoMs),
  ),
  gauge(
    "understudy_drill_rpo_seconds",
    "age of the last commit that its last drill found in the repository; at most so much would be lost",
    ({ drill }) => inSeconds(drill?.last.rpo?.ms),
  ),
  gauge(
    "understudy_drill_rpo_bytes",
    "WAL that its last drill did not find in the repository",
    ({ drill }) => drill?.last.rpo?.bytes,
  ),
];

export const METRICS: readonly Metric[] = [...PATRONI, ...OURS, ...VAULT, ...KEEPING, ...DRILL];
/** One sample, whose label `reason` is the code. */
export const REASON_METRIC = {
  name: "understudy_reason",
  help: "1 for the reason of the last decision",
} as const;
