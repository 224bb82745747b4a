// Which timeline numbers does the server believe to be taken?
//
// PostgreSQL promotes to the first number above its own for which it finds no history file. To make it take exactly
// the reserved number (R18), the numbers between get an empty history file. An empty file belongs to no branch: a
// standby that rescans finds "not a child" and stays where it is. But a *start* takes the highest number found in a
// row as its target and fails if that one is no child; so empty files that lead nowhere are removed before every
// start. Those below a real history file stay: without them other standbys, which look for numbers in a row and ask
// their upstream for each file, would never find the way across the gap.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { historyFileName } from "../../model/timeline.ts";
import { removeDurably, writeDurably } from "../system/durable-file.ts";
import { isAbsent, type Owner } from "./files.ts";

/** A gap longer than this is a damaged record, not a history. */
const LONGEST_GAP = 1000;

const historyPath = (dataDir: string, timeline: number): string =>
  join(dataDir, "pg_wal", historyFileName(timeline));

const sizeOf = async (dataDir: string, timeline: number): Promise<number | undefined> =>
  (await stat(historyPath(dataDir, timeline)).catch(isAbsent))?.size;

/** The timeline's own history file has been written: somebody has begun that branch. */
export const hasHistory = async (dataDir: string, timeline: number): Promise<boolean> =>
  ((await sizeOf(dataDir, timeline)) ?? 0) > 0;

export interface Reservation {
  readonly dataDir: string;
  readonly current: number;
  readonly target: number;
  readonly owner: Owner;
}

/** Makes every number between the two look taken. Answers false when `target` itself is. */
export async function reserveNumbers({
  dataDir,
  current,
  target,
  owner,
}: Reservation): Promise<boolean> {
  if (target <= current || target - current > LONGEST_GAP) return false;
  if ((await sizeOf(dataDir, target)) !== undefined) return false;
  await fillGap({ dataDir, current, target, owner });
  return true;
}

/** Every number between the two looks taken; those that have a history file keep it. */
export async function fillGap({ dataDir, current, target, owner }: Reservation): Promise<void> {
  for (let number = current + 1; number < target; number++) {
    if ((await sizeOf(dataDir, number)) === undefined) {
      await writeDurably(historyPath(dataDir, number), "", { owner });
    }
  }
}

/** Removes empty history files above `current` that lead to no real one. */
export async function removeDeadEnds(dataDir: string, current: number): Promise<void> {
  let newest = current;
  while (newest - current < LONGEST_GAP && (await sizeOf(dataDir, newest + 1)) !== undefined) {
    newest++;
  }
  while (newest > current && (await sizeOf(dataDir, newest)) === 0) {
    await removeDurably(historyPath(dataDir, newest));
    newest--;
  }
}
