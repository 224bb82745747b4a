// What would this restore do? Shown first, and then done.
import { diskSpace } from "../adapters/postgres/directory.ts";
import { actAs } from "../adapters/system/os-user.ts";
import { printBytes } from "../model/amounts.ts";
import type { BackupRecord } from "../model/backup-record.ts";
import type { RestorePreview, RestoreWish } from "../model/backup-words.ts";
import type { DrillProof } from "../model/drill.ts";
import { AppError } from "../model/error.ts";
import { lagBytes, printLsn } from "../model/lsn.ts";
import { printTarget } from "../model/restore-target.ts";
import { filesOf } from "../model/wal-window.ts";
import { lastOf, readDrills } from "./drill-proofs.ts";
import { listedOf } from "./listed.ts";
import { neededBytes, type RestoreOptions, requireTarget, restoreBackup } from "./restore.ts";
import { planRestore, type RestorePlan } from "./restore-plan.ts";
import type { Shelf } from "./shelf.ts";
import type { WorkContext } from "./work-context.ts";

/** Plans it, and carries it out unless only the preview was asked for. */
export async function restoreTo(
  shelf: Shelf,
  wish: RestoreWish,
  context: WorkContext,
): Promise<RestorePreview> {
  const { settings, signal } = context;
  // On the day of a restore a proof that cannot be read holds nobody up.
  const drills = await readDrills(shelf, signal).catch(() => []);
  const plan = await planRestore(shelf, wish, { signal, drills });
  const { record } = plan.backup;
  const { target, timeline, wal } = plan;
  const options: RestoreOptions = {
    ...context,
    shelf,
    record,
    target,
    timeline,
    wal,
    targetDir: wish.targetDir,
    tablespaces: placesOf(record, wish),
    action: wish.action,
    owner: actAs(settings.postgres.osUser),
  };
  const preview = await previewOf(plan, options, lastOf(drills, record.id));
  await requireTarget(options);
  if (!wish.isPreview) await restoreBackup(options);
  return preview;
}

async function previewOf(
  plan: RestorePlan,
  options: RestoreOptions,
  drill: DrillProof | undefined,
): Promise<RestorePreview> {
  const { backup, reach, wal } = plan;
  const { name } = options.shelf.repo;
  const space = await diskSpace(options.targetDir);
  return {
    repo: name,
    backup: listedOf(backup.record, name, backup.verifications[0]),
    targetDir: options.targetDir,
    target: printTarget(plan.target),
    timeline: plan.timeline,
    walSegments: wal === undefined ? 0 : filesOf(wal.window).length,
    ...(reach === undefined ? {} : { walEndLsn: printLsn(reach.endLsn) }),
    neededBytes: neededBytes(options),
    ...(space === undefined ? {} : { freeBytes: space.free }),
    estimateMs: drill?.rtoMs ?? backup.record.finishedAtMs - backup.record.startedAtMs,
    ...(drill === undefined
      ? {}
      : { drill: { id: drill.id, atMs: drill.endedAtMs, outcome: drill.outcome } }),
    lost: lostBehind(plan),
  };
}

/** In the words of what is known: the repository tells of WAL, and only a running cluster of what never came there. */
function lostBehind({ target, reach, backup }: RestorePlan): string {
  const from = target.kind === "lsn" ? target.lsn : backup.record.stopLsn;
  const bytes = reach === undefined ? 0 : lagBytes(reach.endLsn, from);
  switch (target.kind) {
    case "latest":
      return "what has not reached the repository";
    case "lsn":
      return `at most ${printBytes(bytes)} of WAL in the repository, and what has not reached it`;
    case "backup":
      return `everything after the backup: ${printBytes(bytes)} of WAL in the repository, and what has not reached it`;
    default:
      return "everything after the target";
  }
}

/** Named ones go where they were told to; the others beside the target, never to where the original has its own. */
function placesOf(record: BackupRecord, wish: RestoreWish): ReadonlyMap<string, string> {
  const known = new Set(record.tablespaces.flatMap(({ oid, path }) => [oid, path]));
  const stranger = Object.keys(wish.tablespaces).find((name) => !known.has(name));
  if (stranger !== undefined) {
    const why = `the backup has no tablespace ${stranger}; it has ${[...known].join(", ") || "none"}`;
    throw new AppError("NOT_POSSIBLE", `restoring ${record.id}`, why);
  }
  return new Map(
    record.tablespaces.map(({ oid, path }) => [
      oid,
      wish.tablespaces[oid] ?? wish.tablespaces[path] ?? `${wish.targetDir}.tablespace-${oid}`,
    ]),
  );
}
