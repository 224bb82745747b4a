// Who reads or writes a backup just now? A note beside it says so, and its removal waits.
//
// First the note, then a look whether its removal was begun; whoever removes does it the other way round: first the mark,
// then a look for notes. So of a reader and a remover at least one sees the other, and a mark is never taken back.
import { randomBytes } from "node:crypto";
import { AppError } from "../model/error.ts";
import { type BackupKind, expiredKey, inUseKey } from "../model/repo-keys.ts";
import type { Repo } from "../ports/repo.ts";
import { bytesOf } from "./bytes.ts";

export interface Use {
  readonly repo: Repo;
  readonly kind: BackupKind;
  readonly id: string;
  /** For people who find the note: "restoring". */
  readonly what: string;
}

/** Far more often than a note gets stale (`model/expiry.ts`). */
const RENEW_EVERY_MS = 3_600_000;

/**
 * Does the work while a note says so. Throws BACKUP_MISSING when the backup is being removed. Where no note can be left (a
 * full repository, or one that may only be read) the work is done without: on the day of a restore nothing else counts.
 */
export async function inUse<T>(use: Use, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const { repo, kind, id, what } = use;
  let note = await leave(use, signal);
  const renew = async (): Promise<void> => {
    const next = await leave(use, signal);
    if (next === undefined) return;
    await takeAway(repo, note);
    note = next;
  };
  let renewing: Promise<void> = Promise.resolve();
  // Only the signal ends it early, and then the work ends as well.
  const timer = setInterval(() => {
    renewing = renew().catch(() => undefined);
  }, RENEW_EVERY_MS);
  try {
    if ((await repo.head(expiredKey(kind, id), signal)) !== undefined)
      throw new AppError("BACKUP_MISSING", `${what} ${id}`, "it has expired and is being removed");
    return await work();
  } finally {
    clearInterval(timer);
    // A note that is being left at the very end would be nobody's.
    await renewing;
    await takeAway(repo, note);
  }
}

async function leave({ repo, id, what }: Use, signal: AbortSignal): Promise<string | undefined> {
  const atMs = Date.now();
  const key = inUseKey(id, `${atMs}-${randomBytes(4).toString("hex")}`);
  const text = `${JSON.stringify({ format: 1, what, atMs })}\n`;
  try {
    await repo.put(key, bytesOf(text), {}, signal);
    return key;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

const LAST_LIMIT_MS = 10_000;

/** Also when the work was ended. A note that stays gets stale by itself. */
async function takeAway(repo: Repo, note: string | undefined): Promise<void> {
  if (note === undefined) return;
  await repo.remove(note, AbortSignal.timeout(LAST_LIMIT_MS)).catch(() => undefined);
}
