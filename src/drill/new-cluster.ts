// How does a backup become the first data directory of a cluster? Restored, recovered to its target, opened and stopped.
//
// Recovery happens here, behind a socket of our own, and not in the cluster's server: that one only needs to be started,
// like one that initdb has made. The new timeline has a number that no file of the archive bears, so whoever goes on
// writing there overwrites nothing.
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ControlFile, readControlFile } from "../adapters/postgres/control-data.ts";
import { isAbsent, namesIn } from "../adapters/postgres/files.ts";
import { reserveNumbers } from "../adapters/postgres/history.ts";
import { findBinDir } from "../adapters/postgres/programs.ts";
import { readDrills } from "../backup/drill-proofs.ts";
import { type RestoreOptions, requireTarget, restoreBackup } from "../backup/restore.ts";
import { planRestore } from "../backup/restore-plan.ts";
import { readArchiveOf } from "../backup/restore-wal.ts";
import type { Shelf } from "../backup/shelf.ts";
import type { BackupRecord } from "../model/backup-record.ts";
import type { RestoreWish } from "../model/backup-words.ts";
import { AppError } from "../model/error.ts";
import { printTarget, withoutRecovery } from "../model/restore-target.ts";
import type { BackupOrigin, NodeSettings } from "../model/settings.ts";
import { historyFileName } from "../model/timeline.ts";
import { parseWalName, segmentNumber } from "../model/wal-name.ts";
import type { Progress } from "../model/worker.ts";
import { startCopy } from "./copy-server.ts";
import { closeScratch, PORT, type Scratch, SOCKET_NAME_LIMIT } from "./scratch.ts";

export interface ClusterWish {
  /** Empty, and the caller's own. */
  readonly targetDir: string;
  readonly origin: BackupOrigin;
}

export interface ClusterContext {
  readonly settings: NodeSettings;
  readonly progress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface MadeCluster {
  readonly backup: string;
  readonly repo: string;
  readonly target: string;
  readonly timeline: number;
}

const ATTEMPT = "making a cluster from a backup";

/** Answers when the directory only needs to be started. Throws what PostgreSQL says when it cannot reach the target. */
export async function restoreCluster(
  shelf: Shelf,
  { targetDir, origin }: ClusterWish,
  context: ClusterContext,
): Promise<MadeCluster> {
  const { settings, progress, signal } = context;
  progress({ step: "planning" });
  const drills = await readDrills(shelf, signal).catch(() => []);
  const wish = wishOf(targetDir, origin);
  const plan = await planRestore(shelf, wish, { signal, drills });
  const { record } = plan.backup;
  await requirePrograms(settings, record);
  const number = await unusedTimeline(shelf, record, signal);
  const options: RestoreOptions = {
    ...context,
    ...plan,
    shelf,
    record,
    targetDir,
    isInPlace: true,
    tablespaces: new Map(
      record.tablespaces.map(({ oid }) => [oid, `${targetDir}.tablespace-${oid}`]),
    ),
    action: "promote",
    owner: undefined,
    onProgress: ({ phase, doneBytes, totalBytes }) =>
      progress({ step: phase, doneBytes, totalBytes: Math.max(doneBytes, totalBytes) }),
  };
  await requireTarget(options);
  try {
    await restoreBackup(options);
    progress({ step: `recovering to ${printTarget(plan.target)}` });
    await recover({ ...options, number }, context);
  } catch (error) {
    // What was not there before this attempt; the directory itself is its owner's to empty.
    for (const path of options.tablespaces.values())
      await rm(path, { recursive: true, force: true });
    throw error;
  }
  const { repo } = shelf;
  const target = printTarget(plan.target);
  return { backup: record.id, repo: repo.name, target, timeline: number };
}

const wishOf = (targetDir: string, { id, to, timeline }: BackupOrigin): RestoreWish => ({
  targetDir,
  to,
  ...(id === undefined ? {} : { id }),
  ...(timeline === undefined ? {} : { timeline }),
  tablespaces: {},
  action: "promote",
  isPreview: false,
});

/** Before hours are spent on data that nothing here can start. */
async function requirePrograms({ postgres }: NodeSettings, record: BackupRecord): Promise<void> {
  const major = Math.floor(record.versionNumber / 10_000);
  if ((await findBinDir(postgres.binDir, major)) !== undefined) return;
  throw new AppError("PG_NO_TOOL", ATTEMPT, `PostgreSQL ${major} is not installed here`);
}

/** The first number behind all that any file of the archive bears, also those of branches that were given up. */
async function unusedTimeline(
  shelf: Shelf,
  { timeline, segmentBytes }: BackupRecord,
  signal: AbortSignal,
): Promise<number> {
  const { keys } = await readArchiveOf(shelf, segmentBytes, signal);
  let newest = timeline;
  for (const name of keys.keys()) {
    const parsed = parseWalName(name, segmentBytes);
    if (parsed !== undefined && "timeline" in parsed) newest = Math.max(newest, parsed.timeline);
  }
  return newest + 1;
}

async function recover(
  { targetDir, timeline, number }: RestoreOptions & { readonly number: number },
  { settings, signal }: ClusterContext,
): Promise<void> {
  const reserved = { dataDir: targetDir, current: timeline, target: number, owner: undefined };
  if (!(await reserveNumbers(reserved)))
    throw new AppError("NOT_POSSIBLE", ATTEMPT, `timeline ${number} cannot follow ${timeline}`);
  const scratch = await openScratch(settings, targetDir);
  try {
    const server = await startCopy(scratch, { settings, keepBytes: 0, signal });
    await server.stop(signal);
  } finally {
    // Whatever ended this early has left a server in the directory, which is about to be emptied.
    await closeScratch(scratch);
  }
  const control = await readControlFile(targetDir);
  if (control?.state !== "shut down" || control.timeline !== number)
    throw new AppError("RESTORE_FAILED", ATTEMPT, `it did not end on timeline ${number}`);
  await forgetRecovery(targetDir);
  await markForArchive(targetDir, control);
}

/** Beside the server's other files: for its socket, its log, and who may log in. */
async function openScratch({ postgres }: NodeSettings, dataDir: string): Promise<Scratch> {
  const directory = join(postgres.stateDir, "server", "new");
  const socketDir = join(directory, "s");
  if (Buffer.byteLength(join(socketDir, `.s.PGSQL.${PORT}`)) > SOCKET_NAME_LIMIT) {
    const why = `${directory} is too long for a socket: name a shorter understudy.state_dir`;
    throw new AppError("NOT_POSSIBLE", ATTEMPT, why);
  }
  await rm(directory, { recursive: true, force: true });
  await mkdir(socketDir, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  return { directory, dataDir, socketDir, logFile: join(directory, "server.log") };
}

/** The target is behind it, and a server that starts later must not find one. */
async function forgetRecovery(dataDir: string): Promise<void> {
  const path = join(dataDir, "postgresql.auto.conf");
  const text = (await readFile(path, "utf8").catch(isAbsent)) ?? "";
  await writeFile(path, withoutRecovery(text), { mode: 0o600 });
}

/**
 * What recovery wrote of the new timeline goes into the archive like everything after it: PostgreSQL, which archived
 * nothing meanwhile, takes these marks for its own.
 */
async function markForArchive(dataDir: string, control: ControlFile): Promise<void> {
  const { timeline, checkpointLsn, segmentSize } = control;
  const folder = join(dataDir, "pg_wal");
  const current = segmentNumber(checkpointLsn, segmentSize);
  for (const name of await namesIn(folder)) {
    const parsed = parseWalName(name, segmentSize);
    const isWhole =
      name === historyFileName(timeline) ||
      (parsed?.kind === "segment" && parsed.timeline === timeline && parsed.number < current);
    if (!isWhole) continue;
    await writeFile(join(folder, "archive_status", `${name}.ready`), "", { mode: 0o600 });
  }
}
