// What does one repository show of the copy that it holds? Read from it, and nothing is written.
import {
  type BackupEvidence,
  type Held,
  usableBackup,
  type WalEvidence,
} from "../model/copy-evidence.ts";
import { runsOn } from "../model/coverage.ts";
import type { DrillProof } from "../model/drill.ts";
import { maxLsn, printLsn } from "../model/lsn.ts";
import { segmentNumber } from "../model/wal-name.ts";
import { windowFrom } from "../model/wal-window.ts";
import { type CataloguedBackup, readCatalogue } from "./catalogue.ts";
import { lastOf, readDrills } from "./drill-proofs.ts";
import { readArchiveOf } from "./restore-wal.ts";
import type { Shelf } from "./shelf.ts";

/** The base backups with their proofs, and how far the newest usable one leads. Throws REPO_… */
export async function readHeld(shelf: Shelf, signal: AbortSignal): Promise<Held> {
  const { backups: found, unreadable } = await readCatalogue(shelf.repo, signal);
  const drills = await readDrills(shelf, signal);
  const backups = found.map((one) => ({ ...evidenceOf(one, drills), one }));
  const usable = usableBackup(backups)?.one;
  const wal = usable && (await walBeyond(shelf, usable, signal));
  return {
    kind: "read",
    backups: found.map((one) => evidenceOf(one, drills)),
    unreadable,
    ...(wal === undefined ? {} : { wal }),
  };
}

function evidenceOf(
  { record, verifications: [verified] }: CataloguedBackup,
  drills: readonly DrillProof[],
): BackupEvidence {
  const drill = lastOf(drills, record.id);
  return {
    id: record.id,
    begunAtMs: record.startedAtMs,
    ...(verified === undefined ? {} : { verified }),
    ...(drill === undefined
      ? {}
      : { drilled: { id: drill.id, atMs: drill.endedAtMs, outcome: drill.outcome } }),
  };
}

async function walBeyond(
  shelf: Shelf,
  { record }: CataloguedBackup,
  signal: AbortSignal,
): Promise<WalEvidence> {
  const { id, segmentBytes, stopLsn } = record;
  const archive = await readArchiveOf(shelf, segmentBytes, signal);
  const window = windowFrom(archive, record, {});
  const timeline = window?.timeline ?? record.timeline;
  const end = maxLsn(window?.endLsn ?? stopLsn, stopLsn);
  // Is there a segment of this timeline at or behind the one where the unbroken row ended?
  const last = runsOn(archive, timeline).at(-1)?.[1] ?? -1;
  const isBroken = last >= segmentNumber(end, segmentBytes);
  return { backup: id, reach: printLsn(end), timeline, isBroken, segmentBytes };
}
