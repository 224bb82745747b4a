// Which parameters does the server get, from whom, and where are they written?
//
// Three sources: what the cluster needs (managed), what the user asked for, what only this node can know. The user
// wins over a managed value unless it falls below what the cluster needs; then the whole plan is refused with the
// number needed.
import { AppError } from "../../model/error.ts";
import { neededInstead } from "../../model/parameter-minimums.ts";
import type { ServerPlan } from "../../ports/postgres.ts";
import type { ControlLimits } from "./control-data.ts";

export type Parameters = Readonly<Record<string, string>>;

export interface Settled {
  /** Given on the command line: they decide who can reach the server or whether standbys can follow (R17). */
  readonly commandLine: Parameters;
  /** Written to postgresql.conf: a reload is enough for most of them. */
  readonly file: Parameters;
}

export interface NodeFacts {
  readonly listen: readonly string[];
  readonly port: number;
  readonly socketDir: string;
  readonly clusterName: string;
  readonly dataDir: string;
  /** Size of the data directory's file system, when known: it bounds what absent members may hold back. */
  readonly diskBytes: number | undefined;
  /** The kernel reports every write error of a whole file system's sync (Linux 5.8 and newer). */
  readonly syncfsTellsErrors: boolean;
}

const managed = (facts: NodeFacts, members: number): Parameters => ({
  // tidy-allow: PostgreSQL's own name of this level
  wal_level: "replica",
  wal_log_hints: "on",
  max_connections: "100",
  max_worker_processes: "8",
  max_prepared_transactions: "0",
  max_locks_per_transaction: "64",
  track_commit_timestamp: "off",
  max_wal_senders: String(Math.max(10, 2 * members + 4)),
  max_replication_slots: String(Math.max(10, 2 * members + 4)),
  archive_mode: "off",
  wal_compression: "on",
  wal_keep_size: "128MB",
  max_slot_wal_keep_size: slotLimit(facts.diskBytes),
  // A stop waits for a silent walsender as long as this (R36); a standby notices a dead primary by the other one.
  wal_sender_timeout: "5s",
  wal_receiver_timeout: "10s",
  wal_receiver_status_interval: "1s",
  // The time a standby sleeps before it looks again for a new upstream or timeline.
  wal_retrieve_retry_interval: "500ms",
  password_encryption: "scram-sha-256",
  hot_standby_feedback: "off",
  // One call instead of opening every file of the data: seconds of the pause after a crash, where it is as safe.
  recovery_init_sync_method: facts.syncfsTellsErrors ? "syncfs" : "fsync",
  logging_collector: "off",
  log_destination: "stderr",
  log_line_prefix: "%m [%p] %q%a %u@%d ",
  restart_after_crash: "on",
  tcp_keepalives_idle: "10s",
  tcp_keepalives_interval: "5s",
  tcp_keepalives_count: "3",
  recovery_target_timeline: "latest",
});

/** What only the node knows. */
const OWN_NAMES = [
  "data_directory",
  "hba_file",
  "ident_file",
  "listen_addresses",
  "port",
  "unix_socket_directories",
  "cluster_name",
  "hot_standby",
] as const;
const FROM_THE_NODE: ReadonlySet<string> = new Set(OWN_NAMES);

const own = (facts: NodeFacts): Record<(typeof OWN_NAMES)[number], string> => ({
  data_directory: facts.dataDir,
  hba_file: `${facts.dataDir}/pg_hba.conf`,
  ident_file: `${facts.dataDir}/pg_ident.conf`,
  listen_addresses: facts.listen.join(","),
  port: String(facts.port),
  unix_socket_directories: facts.socketDir,
  cluster_name: facts.clusterName,
  hot_standby: "on",
});

/** Never taken from a user: they would move the server away from under the agent, or are written elsewhere. */
const OURS_ALONE = new Set([
  "config_file",
  "external_pid_file",
  "primary_conninfo",
  "primary_slot_name",
  "recovery_target_timeline",
]);

const ON_COMMAND_LINE = new Set([
  "wal_level",
  "wal_log_hints",
  "max_connections",
  "max_worker_processes",
  "max_prepared_transactions",
  "max_locks_per_transaction",
  "track_commit_timestamp",
  "max_wal_senders",
  "max_replication_slots",
  "archive_mode",
]);

/** Is it given on the command line, whatever the files say? */
export const isOnCommandLine = (name: string): boolean =>
  ON_COMMAND_LINE.has(name) || FROM_THE_NODE.has(name);

/** The parameters of a plan, or PG_PARAMETER_REFUSED. */
export function settleParameters(plan: ServerPlan, facts: NodeFacts): Settled {
  const asked = Object.fromEntries(
    Object.entries(plan.parameters)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => !OURS_ALONE.has(name) && !FROM_THE_NODE.has(name)),
  );
  const values: Parameters = { ...managed(facts, plan.members), ...asked };
  for (const [name, value] of Object.entries(values)) refuse(name, value, plan.members);
  // PostgreSQL obeys only one of them, and from 16 on archives nothing at all.
  if ((values["archive_library"] ?? "") !== "" && (values["archive_command"] ?? "") !== "")
    throw new AppError(
      "PG_PARAMETER_REFUSED",
      `setting archive_library to ${values["archive_library"]}`,
      "archive_command is set too: take one of them out",
    );
  const isCommandLine = ([name]: [string, string]): boolean => ON_COMMAND_LINE.has(name);
  const entries = Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    commandLine: { ...own(facts), ...Object.fromEntries(entries.filter(isCommandLine)) },
    file: Object.fromEntries(entries.filter((entry) => !isCommandLine(entry))),
  };
}

/**
 * A standby with less room than its primary stops replaying, so a decrease waits until the primary has it: the
 * control file knows the numbers under which the WAL was written.
 */
export function holdBack(settled: Settled, limits: ControlLimits): Settled {
  const commandLine: Record<string, string> = { ...settled.commandLine };
  for (const [name, floor] of Object.entries(limits)) {
    if (Number(commandLine[name] ?? 0) < floor) commandLine[name] = String(floor);
  }
  return { ...settled, commandLine };
}

function refuse(name: string, value: string, members: number): void {
  const attempt = `setting ${name} to ${value}`;
  const fail = (why: string): never => {
    throw new AppError("PG_PARAMETER_REFUSED", attempt, why);
  };
  if (!/^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/.test(name)) fail("this is no parameter name");
  const needed = neededInstead(name, value, members);
  if (needed !== undefined) fail(`at least ${needed} is needed with ${members} members`);
  // tidy-allow: PostgreSQL's own name of this level
  if (name === "wal_level" && value !== "replica" && value !== "logical") {
    // tidy-allow: PostgreSQL's own name of this level
    fail("replica or logical is needed");
  }
  if (name === "wal_log_hints" && !/^(on|true|yes|1)$/i.test(value)) {
    fail("on is needed, or a diverged member could not be rewound");
  }
}

/** A fifth of the disk, at most 64 GB: an absent member must not fill it, and shall find its WAL for long. */
function slotLimit(diskBytes: number | undefined): string {
  const gib = 1024 ** 3;
  const limit = Math.min(64 * gib, Math.max(gib, (diskBytes ?? 40 * gib) / 5));
  return `${Math.floor(limit / gib) * 1024}MB`;
}
