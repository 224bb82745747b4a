// From what a person wishes to what will be done: which backup, which WAL, which target, or why it cannot be.
import type { BackupRecord } from "../model/backup-record.ts";
import type { RestoreWish, WishedTarget } from "../model/backup-words.ts";
import type { DrillProof } from "../model/drill.ts";
import { AppError } from "../model/error.ts";
import { parseLsn, printLsn } from "../model/lsn.ts";
import { chooseBackup, whyTooYoung } from "../model/restore-choice.ts";
import { printTarget, type RestoreTarget } from "../model/restore-target.ts";
import { filesOf, type WalWindow, windowFrom } from "../model/wal-window.ts";
import { parseRfc3339, printRfc3339 } from "../model/wire/rfc3339.ts";
import type { Archive } from "./archive.ts";
import { type CataloguedBackup, findBackup, readCatalogue } from "./catalogue.ts";
import { lastOf } from "./drill-proofs.ts";
import { withTails } from "./restore-tail.ts";
import { readArchiveOf } from "./restore-wal.ts";
import type { Shelf } from "./shelf.ts";

export interface RestorePlan {
  readonly backup: CataloguedBackup;
  readonly target: RestoreTarget;
  readonly timeline: number;
  readonly wal: { readonly archive: Archive; readonly window: WalWindow } | undefined;
  /** How far WAL is there in all; undefined when none is beyond the backup. */
  readonly reach: WalWindow | undefined;
}

const ATTEMPT = "planning the restore";
const refuse = (why: string): never => {
  throw new AppError("NOT_POSSIBLE", ATTEMPT, why);
};

/** Throws NOT_POSSIBLE when the target is not in an interval that can be restored. */
export async function planRestore(
  shelf: Shelf,
  wish: RestoreWish,
  { signal, drills }: { readonly signal: AbortSignal; readonly drills: readonly DrillProof[] },
): Promise<RestorePlan> {
  const target = targetIn(wish.to);
  const backup = await choose(shelf, { id: wish.id, target, drills }, signal);
  const { record } = backup;
  const whole = await readArchiveOf(shelf, record.segmentBytes, signal);
  const archive = await withTails(whole, shelf, signal);
  const reach = windowFrom(archive, record, { timeline: wish.timeline });
  const isBeyond = reach !== undefined && reach.endLsn > record.stopLsn;
  if (wish.timeline !== undefined && reach === undefined) {
    return refuse(`no history is there that leads from ${record.id} to timeline ${wish.timeline}`);
  }
  if (target.kind === "backup" || (target.kind === "latest" && !isBeyond)) {
    return { backup, target: { kind: "backup" }, timeline: record.timeline, wal: undefined, reach };
  }
  if (!isBeyond) return refuse(`no WAL is there beyond ${record.id}: say --to backup`);
  requireReached(target, { record, reach, archive });
  const upTo = target.kind === "lsn" ? target.lsn : undefined;
  const window = windowFrom(archive, record, { timeline: reach.timeline, upTo }) ?? reach;
  return { backup, target, timeline: reach.timeline, wal: { archive, window }, reach };
}

interface Choosing {
  readonly id: string | undefined;
  readonly target: RestoreTarget;
  readonly drills: readonly DrillProof[];
}

async function choose(
  shelf: Shelf,
  { id, target, drills }: Choosing,
  signal: AbortSignal,
): Promise<CataloguedBackup> {
  if (id !== undefined) {
    const found = await findBackup(shelf.repo, id, signal);
    const why = whyTooYoung(found.record, target);
    return why === undefined ? found : refuse(why);
  }
  const { backups } = await readCatalogue(shelf.repo, signal);
  const candidates = backups.map(({ record, verifications }) => ({
    record,
    isDamaged: verifications[0]?.outcome === "failed",
    isDoubtful: lastOf(drills, record.id)?.outcome === "failed",
  }));
  const choice = chooseBackup(candidates, target);
  if (choice.kind === "refused") {
    if (backups.length === 0) return findBackup(shelf.repo, undefined, signal);
    return refuse(choice.why);
  }
  const chosen = backups.find(({ record }) => record === choice.record);
  return chosen ?? refuse("the backup is gone");
}

interface Reached {
  readonly record: BackupRecord;
  readonly reach: WalWindow;
  readonly archive: Archive;
}

function requireReached(target: RestoreTarget, { record, reach, archive }: Reached): void {
  const until = `WAL is there without a hole from ${record.id} (${printLsn(record.stopLsn)}) to ${printLsn(reach.endLsn)} on timeline ${reach.timeline}`;
  if (target.kind === "lsn" && target.lsn >= reach.endLsn) {
    refuse(`${printTarget(target)} lies behind the end: ${until}`);
  }
  const storedAtMs = archive.storedAtMs.get(filesOf(reach).at(-1) ?? "");
  if (target.kind === "time" && storedAtMs !== undefined && target.atMs > storedAtMs) {
    refuse(
      `${printTarget(target)} lies behind the end: ${until}, stored ${printRfc3339(storedAtMs)}`,
    );
  }
}

function targetIn(wished: WishedTarget): RestoreTarget {
  switch (wished.kind) {
    case "backup":
    case "latest":
      return { kind: wished.kind };
    case "time": {
      const atMs = parseRfc3339(wished.at);
      if (atMs !== undefined) return { kind: "time", atMs };
      return refuse(`"${wished.at}" is no moment: say 2026-11-27 04:50:00+01, with its zone`);
    }
    case "lsn": {
      const lsn = parseLsn(wished.at);
      return lsn === undefined
        ? refuse(`"${wished.at}" is no position like 0/3000148`)
        : { kind: "lsn", lsn };
    }
    case "xid":
      if (!/^\d{1,20}$/.test(wished.at)) return refuse(`"${wished.at}" is no transaction's number`);
      return { kind: "xid", xid: wished.at };
    case "name":
      if (wished.at === "" || wished.at.length > 63)
        return refuse("a restore point has 1 to 63 characters");
      return { kind: "name", name: wished.at };
    default:
      return wished satisfies never;
  }
}
