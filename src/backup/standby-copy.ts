// How does a backup become the data of a standby? The newest that is proven and lies on the leader's history, with its WAL.
//
// What comes out goes on from there as any standby does: the WAL of the repository lies in its pg_wal, and the rest is
// streamed. A copy that a leader could not lead on is never begun.
import { fillGap } from "../adapters/postgres/history.ts";
import { actAs } from "../adapters/system/os-user.ts";
import type { BackupRecord } from "../model/backup-record.ts";
import { AppError } from "../model/error.ts";
import { branchOf, chooseForStandby, wayForStandby } from "../model/standby-choice.ts";
import type { Lineage } from "../model/timeline.ts";
import { parseWalName } from "../model/wal-name.ts";
import type { Archive } from "./archive.ts";
import { readCatalogue } from "./catalogue.ts";
import { lastOf, readDrills } from "./drill-proofs.ts";
import { type RestoreOptions, requireTarget, restoreBackup } from "./restore.ts";
import { readArchiveOf } from "./restore-wal.ts";
import type { Shelf } from "./shelf.ts";
import type { WorkContext } from "./work-context.ts";

export interface StandbyCopy {
  readonly backup: string;
  readonly repo: string;
  /** To which the data comes with the WAL that lies beside it. */
  readonly timeline: number;
}

export interface StandbyWish {
  /** Empty, and the caller's own. */
  readonly targetDir: string;
  /** The leader's branches. */
  readonly lineage: Lineage;
}

const ATTEMPT = "copying from a backup";

/** Throws NOT_POSSIBLE when no backup here can become a standby of that leader. */
export async function restoreStandby(
  shelf: Shelf,
  { targetDir, lineage }: StandbyWish,
  context: WorkContext,
): Promise<StandbyCopy> {
  const { settings, signal } = context;
  const record = await chooseIn(shelf, lineage, signal);
  const archive = await readArchiveOf(shelf, record.segmentBytes, signal);
  const way = wayForStandby(archive, record, lineage);
  if (way === undefined) {
    const why = `the WAL that leads from ${record.id} to the leader's timeline is not there yet`;
    throw new AppError("NOT_POSSIBLE", ATTEMPT, `${shelf.repo.name}: ${why}`);
  }
  const { timeline, window } = way;
  const owner = actAs(settings.postgres.osUser);
  const options: RestoreOptions = {
    ...context,
    shelf,
    record,
    targetDir,
    isInPlace: true,
    isStandby: true,
    target: { kind: "latest" },
    timeline,
    action: "promote",
    tablespaces: new Map(),
    wal: window && { archive: withoutStrangers(archive, lineage), window },
    owner,
  };
  await requireTarget(options);
  await restoreBackup(options);
  // PostgreSQL looks for timelines in a row; a number that nobody began would be the end of it.
  await fillGap({ dataDir: targetDir, current: record.timeline, target: timeline, owner });
  return { backup: record.id, repo: shelf.repo.name, timeline };
}

async function chooseIn(
  shelf: Shelf,
  lineage: Lineage,
  signal: AbortSignal,
): Promise<BackupRecord> {
  const { backups } = await readCatalogue(shelf.repo, signal);
  const drills = await readDrills(shelf, signal).catch(() => []);
  const candidates = backups.map(({ record, verifications: [last] }) => ({
    record,
    verified: last?.outcome,
    drilled: lastOf(drills, record.id)?.outcome,
  }));
  const choice = chooseForStandby(candidates, lineage);
  if (choice.kind === "chosen") return choice.record;
  throw new AppError("NOT_POSSIBLE", ATTEMPT, `${shelf.repo.name}: ${choice.why}`);
}

/** A standby goes to the newest timeline that it finds a history of: it must find no other than the leader's. */
function withoutStrangers(archive: Archive, lineage: Lineage): Archive {
  const keys = [...archive.keys].filter(([name]) => {
    const parsed = parseWalName(name, archive.segmentSize);
    return parsed?.kind !== "history" || branchOf(lineage, parsed.timeline) >= 0;
  });
  return { ...archive, keys: new Map(keys) };
}
