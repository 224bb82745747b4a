// How is a copy brought up so that it can do nothing but answer us?
//
// What is said on the command line wins over every file of the copy: it listens on one socket of ours, writes no archive,
// follows nobody, and starts no worker of an extension, whatever the original was set to do.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { open, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type ControlFile, readControlFile } from "../adapters/postgres/control-data.ts";
import { exists } from "../adapters/postgres/files.ts";
import { dataMajor, findProgram, lastWords, tied } from "../adapters/postgres/programs.ts";
import { Session, type SessionTarget, sqlState } from "../adapters/postgres/session.ts";
import { AppError } from "../model/error.ts";
import type { NodeSettings } from "../model/settings.ts";
import { PORT, type Scratch } from "./scratch.ts";

const POLL_MS = 50;
const CONNECT_LIMIT_MS = 5_000;
/** Recovery may have days of WAL to replay; a server that needs longer is taken for one that hangs. */
const RECOVERY_LIMIT_MS = 24 * 3_600_000;
const STOP_LIMIT_MS = 600_000;
const SHOWN_LOG_BYTES = 4 * 1024;

export interface CopyServer {
  readonly target: SessionTarget;
  /** As PostgreSQL's client programs take it. */
  readonly connection: readonly string[];
  /** Ends it with a checkpoint, as an operator would. Throws PG_STOP_TIMEOUT. */
  stop(signal: AbortSignal): Promise<void>;
}

/** Starts it and waits until it takes writes. Throws PG_START_FAILED with its last words when it does not come up. */
export async function startCopy(
  scratch: Scratch,
  { settings, keepBytes, signal }: CopyOptions,
): Promise<CopyServer> {
  const attempt = "recovering the copy";
  const control = await readControlFile(scratch.dataDir);
  if (control === undefined)
    throw new AppError("PG_START_FAILED", attempt, "there is no pg_control");
  const program = await findProgram({ settings, dataDir: scratch.dataDir }, "postgres");
  const args = await argumentsFor(scratch, control, keepBytes);
  // It dies with us: the kernel ends it when we are killed, and where it cannot, the next drill does.
  const child = spawnServer(await tied(program, args, "QUIT"), scratch);
  const { username: user } = settings.postgres.superuser;
  const target = { host: scratch.socketDir, port: PORT, user, password: undefined };
  const server: CopyServer = {
    target: { ...target, database: "postgres", isSuperuser: true },
    connection: [`--host=${scratch.socketDir}`, `--port=${PORT}`, `--username=${user}`],
    stop: (stopSignal) => stopServer(child, stopSignal),
  };
  await untilWritable(child, server.target, signal).catch(async (error: unknown) => {
    signal.throwIfAborted();
    const words = await lastOf(scratch.logFile);
    const why = error instanceof AppError ? error.why : String(error);
    throw new AppError("PG_START_FAILED", attempt, `${why}: ${words}`, error);
  });
  return server;
}

export interface CopyOptions {
  readonly settings: NodeSettings;
  /** So much WAL is kept after recovery, for whoever wants to look into it. */
  readonly keepBytes: number;
  readonly signal: AbortSignal;
}

async function argumentsFor(
  { dataDir, directory, socketDir }: Scratch,
  { limits }: ControlFile,
  keepBytes: number,
): Promise<readonly string[]> {
  const major = (await dataMajor(dataDir)) ?? 0;
  const hba = join(directory, "pg_hba.conf");
  const ident = join(directory, "pg_ident.conf");
  const plain = join(directory, "postgresql.conf");
  // Nobody but our user comes as far as the socket: its directory is closed to others.
  await writeFile(hba, "local all all trust\n", { mode: 0o600 });
  await writeFile(ident, "", { mode: 0o600 });
  // Where the settings lie outside of the data (Debian's own clusters) the backup has none of them.
  const hasOwn = await exists(join(dataDir, "postgresql.conf"));
  if (!hasOwn) await writeFile(plain, "", { mode: 0o600 });
  const settings = {
    ...(hasOwn ? {} : { config_file: plain }),
    data_directory: dataDir,
    hba_file: hba,
    ident_file: ident,
    external_pid_file: "",
    listen_addresses: "",
    unix_socket_directories: socketDir,
    unix_socket_permissions: "0700",
    unix_socket_group: "",
    port: String(PORT),
    ssl: "off",
    ...OF_A_LONER,
    // Without hot standby the copy needs not be as large as its original; a prepared transaction still has its place.
    max_prepared_transactions: String(limits.max_prepared_transactions),
    max_locks_per_transaction: String(limits.max_locks_per_transaction),
    wal_keep_size: `${Math.ceil(keepBytes / 1024 ** 2)}MB`,
    ...(major >= 16 ? { reserved_connections: "0" } : {}),
    ...(major >= 17 ? { event_triggers: "off" } : {}),
  };
  return ["-D", dataDir, ...Object.entries(settings).flatMap(([k, v]) => ["-c", `${k}=${v}`])];
}

/** Small, alone, and doing nothing by itself: no archive, no standbys, no subscription, no job of an extension. */
const OF_A_LONER = {
  hot_standby: "off",
  max_connections: "20",
  superuser_reserved_connections: "0",
  max_wal_senders: "0",
  max_worker_processes: "0",
  max_logical_replication_workers: "0",
  archive_mode: "off",
  archive_command: "",
  archive_cleanup_command: "",
  recovery_end_command: "",
  restore_command: "false",
  recovery_min_apply_delay: "0",
  primary_conninfo: "",
  primary_slot_name: "",
  synchronous_standby_names: "",
  shared_buffers: "64MB",
  huge_pages: "off",
  autovacuum: "off",
  restart_after_crash: "off",
  logging_collector: "off",
  log_destination: "stderr",
  cluster_name: "understudy_drill",
};

function spawnServer(
  { program, args }: { readonly program: string; readonly args: readonly string[] },
  scratch: Scratch,
): ChildProcess {
  const log = openSync(scratch.logFile, "a", 0o600);
  try {
    const { PATH = "" } = process.env;
    return spawn(program, args, {
      cwd: scratch.dataDir,
      env: { PATH, LC_MESSAGES: "C" },
      stdio: ["ignore", log, log],
      // A signal to our group (Ctrl-C) is ours to pass on.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

async function untilWritable(
  child: ChildProcess,
  target: SessionTarget,
  signal: AbortSignal,
): Promise<void> {
  let broken: Error | undefined;
  child.once("error", (error) => {
    broken = error;
  });
  const end = performance.now() + RECOVERY_LIMIT_MS;
  while (performance.now() < end) {
    if (broken !== undefined) throw new AppError("PG_START_FAILED", "starting", broken.message);
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new AppError("PG_START_FAILED", "starting", "the server ended before its target");
    }
    if (await isWritable(target)) return;
    await pause(POLL_MS, undefined, { signal });
  }
  throw new AppError("PG_START_TIMEOUT", "starting", "recovery has not ended within a day");
}

async function isWritable(target: SessionTarget): Promise<boolean> {
  try {
    using session = await Session.open(target, CONNECT_LIMIT_MS);
    const [row] = await session.query("SELECT pg_is_in_recovery() AS it", [], CONNECT_LIMIT_MS);
    return row?.["it"] === false;
  } catch (error) {
    // It recovers, or its socket is not there yet.
    if (["57P03", "ENOENT", "ECONNREFUSED"].includes(sqlState(error) ?? "")) return false;
    throw error;
  }
}

async function stopServer(child: ChildProcess, signal: AbortSignal): Promise<void> {
  child.kill("SIGINT");
  const end = performance.now() + STOP_LIMIT_MS;
  while (child.exitCode === null && child.signalCode === null) {
    if (performance.now() > end) {
      throw new AppError("PG_STOP_TIMEOUT", "stopping the copy", "its checkpoint takes too long");
    }
    await pause(POLL_MS, undefined, { signal });
  }
}

/** What it said last; of a failed start that is the cause. */
async function lastOf(logFile: string): Promise<string> {
  const { size } = await stat(logFile).catch(() => ({ size: 0 }));
  const length = Math.min(size, SHOWN_LOG_BYTES);
  if (length === 0) return "it said nothing";
  await using file = await open(logFile, "r");
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return lastWords(buffer.toString("utf8"), 3);
}
