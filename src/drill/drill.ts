// Can this backup be restored? By restoring it: beside the cluster, to the end, and looked at from inside.
//
// What cannot be tried (no room, no key, a repository that does not answer) is thrown and proves nothing. What was tried
// ends in a proof, whichever way it ended.
import { randomBytes } from "node:crypto";
import { setPriority } from "node:os";
import { join } from "node:path";
import { diskSpace } from "../adapters/postgres/directory.ts";
import { findBinDir } from "../adapters/postgres/programs.ts";
import { neededBytes, type RestoreOptions, restoreBackup } from "../backup/restore.ts";
import { planRestore, type RestorePlan } from "../backup/restore-plan.ts";
import type { Shelf } from "../backup/shelf.ts";
import { openSigner } from "../backup/signing.ts";
import { printBytes } from "../model/amounts.ts";
import { backupIdOf, objectsOf, printVersion } from "../model/backup-record.ts";
import type { WishedTarget } from "../model/backup-words.ts";
import type { DrillProof } from "../model/drill.ts";
import { AppError, asAppError, type ErrorCode } from "../model/error.ts";
import { printLsn } from "../model/lsn.ts";
import { printTarget } from "../model/restore-target.ts";
import type { NodeSettings } from "../model/settings.ts";
import { VERSION } from "../model/version.ts";
import { filesOf } from "../model/wal-window.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import type { Progress } from "../model/worker.ts";
import { lossIn, positionOf } from "./loss.ts";
import { type Rehearsal, rehearse, verdictOn } from "./rehearsal.ts";
import { closeScratch, openRoot, openScratch, type Scratch, sweepScratch } from "./scratch.ts";

export interface DrillOptions {
  readonly shelf: Shelf;
  readonly settings: NodeSettings;
  /** Undefined: the one that the target asks for, the newest at best. */
  readonly id: string | undefined;
  readonly to: WishedTarget;
  readonly progress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** Others need the machine more: the copy and its programs come after them. */
const NICE = 5;
const ATTEMPT = "drilling a restore";
/** Never the last bytes of a disk: the live server may lie on it. */
const SPARE_BYTES = 512 * 1024 ** 2;
/** Says nothing of the backup: nobody could look. */
const NO_VERDICT: ReadonlySet<ErrorCode> = new Set([
  "REPO_UNREACHABLE",
  "REPO_UNKNOWN",
  "REPO_REFUSED",
  "REPO_KEY_WRONG",
  "BACKUP_MISSING",
  "PG_NO_TOOL",
  "PG_DISK_FULL",
  "NOT_POSSIBLE",
  "CANCELLED",
]);

/** Answers what was found, signed and not kept yet. Nothing of the copy is left, whatever happens. */
export async function performDrill(options: DrillOptions): Promise<DrillProof> {
  const { shelf, settings, signal, progress } = options;
  setPriority(NICE);
  const signer = await openSigner(settings);
  const root = await openRoot(settings);
  await sweepScratch(root);
  progress({ step: "planning" });
  const cluster = await positionOf(settings);
  // What earlier drills said does not choose: a newest backup that failed must fail again.
  const plan = await planRestore(shelf, wishOf(options), { signal, drills: [] });
  await requirePrograms(settings, plan);
  await requireRoom(root, plan);
  const begunAtMs = Date.now();
  const id = backupIdOf(begunAtMs, randomBytes(4).toString("hex"));
  const scratch = await openScratch(root, id);
  try {
    const seen = await attempted(scratch, plan, options);
    const { outcome, why } = verdictOn(seen);
    return {
      ...aboutOf(plan, { shelf, settings }),
      id,
      outcome,
      ...(why === undefined ? {} : { why }),
      begunAt: printRfc3339(begunAtMs),
      begunAtMs,
      endedAtMs: Date.now(),
      ...foundIn(seen),
      ...(cluster === undefined
        ? {}
        : { cluster: { ...cluster, position: printLsn(cluster.position) } }),
      ...(options.to.kind === "latest" ? lossIn(seen, cluster) : {}),
      signer: signer.name,
    };
  } finally {
    progress({ step: "removing the copy" });
    await closeScratch(scratch);
  }
}

/** A failure that is a verdict is one of the findings; any other is thrown. */
async function attempted(
  scratch: Scratch,
  plan: RestorePlan,
  options: DrillOptions,
): Promise<Rehearsal> {
  const { settings, signal, progress } = options;
  const seen: Rehearsal = { phases: [], checks: [] };
  try {
    await rehearse({ scratch, settings, signal, progress, plan, restore }, seen);
  } catch (error) {
    signal.throwIfAborted();
    const failure = asAppError(error, "RESTORE_FAILED", ATTEMPT);
    if (NO_VERDICT.has(failure.code)) throw failure;
    seen.failure = failure;
  }
  return seen;

  async function restore(): Promise<void> {
    await restoreBackup(restoreOptions(scratch, plan, options));
  }
}

function restoreOptions(
  { directory, dataDir }: Scratch,
  { backup: { record }, target, timeline, wal }: RestorePlan,
  { shelf, settings, signal, progress }: DrillOptions,
): RestoreOptions {
  const places = record.tablespaces.map(
    ({ oid }) => [oid, join(directory, `tablespace-${oid}`)] as const,
  );
  return {
    shelf,
    record,
    target,
    timeline,
    wal,
    settings,
    signal,
    targetDir: dataDir,
    tablespaces: new Map(places),
    action: "promote",
    owner: undefined,
    onProgress: ({ phase, doneBytes, totalBytes }) =>
      progress({ step: phase, doneBytes, totalBytes: Math.max(doneBytes, totalBytes) }),
  };
}

const wishOf = ({ id, to }: DrillOptions) => ({
  ...(id === undefined ? {} : { id }),
  to,
  targetDir: "",
  tablespaces: {},
  action: "promote" as const,
  isPreview: false,
});

/** Those of the backup's version, before hours are spent on a copy that nothing here can start. */
async function requirePrograms({ postgres }: NodeSettings, plan: RestorePlan): Promise<void> {
  const { versionNumber } = plan.backup.record;
  const major = Math.floor(versionNumber / 10_000);
  if ((await findBinDir(postgres.binDir, major)) !== undefined) return;
  throw new AppError("PG_NO_TOOL", ATTEMPT, `PostgreSQL ${major} is not installed on this member`);
}

/** For the files, the WAL that is laid beside them, and as much again that its replay may write. */
async function requireRoom(root: string, plan: RestorePlan): Promise<void> {
  const { record } = plan.backup;
  const needed = neededBytes({ record, wal: plan.wal });
  const replayed = needed - record.dataBytes;
  const space = await diskSpace(root);
  const wanted = needed + replayed + SPARE_BYTES;
  if (space === undefined || space.free >= wanted) return;
  const why = `${printBytes(wanted)} are needed and ${printBytes(space.free)} are free in ${root}: name another one in backup.drill.directory`;
  throw new AppError("PG_DISK_FULL", ATTEMPT, why);
}

const aboutOf = (
  { backup: { record }, target, wal }: RestorePlan,
  { shelf, settings }: Pick<DrillOptions, "shelf" | "settings">,
) => ({
  format: 1 as const,
  kind: "drill" as const,
  scope: settings.scope,
  systemId: shelf.systemId,
  repo: shelf.repo.name,
  ranOn: settings.name,
  software: VERSION,
  postgres: printVersion(record.versionNumber),
  backup: {
    id: record.id,
    finishedAtMs: record.finishedAtMs,
    timeline: record.timeline,
    stopLsn: printLsn(record.stopLsn),
    dataBytes: record.dataBytes,
    objects: objectsOf(record).map(({ file, storedBytes, sha256 }) => ({
      file,
      storedBytes,
      sha256,
    })),
  },
  target: printTarget(target),
  walSegments: wal === undefined ? 0 : filesOf(wal.window).length,
});

function foundIn({ phases, checks, recovered, rtoMs }: Rehearsal) {
  return {
    phases,
    checks,
    ...(rtoMs === undefined ? {} : { rtoMs }),
    ...(recovered === undefined
      ? {}
      : { recovered: { ...recovered, lsn: printLsn(recovered.lsn) } }),
  };
}
