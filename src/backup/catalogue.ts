// Which base backups does a repository hold, and what is known of each? Read from the repository alone.
import { type BackupRecord, isBackupId } from "../model/backup-record.ts";
import { AppError } from "../model/error.ts";
import { baseKey, expiredKey } from "../model/repo-keys.ts";
import { parseVerificationKey, type Verification } from "../model/verification.ts";
import type { Repo, StoredObject } from "../ports/repo.ts";
import { textOf } from "./bytes.ts";
import { recordIn } from "./record-text.ts";

export interface CataloguedBackup {
  readonly record: BackupRecord;
  /** Newest first. */
  readonly verifications: readonly Verification[];
}

/** A folder without `backup.json`: taken just now, or left by a run that died. */
export interface UnfinishedBackup {
  readonly id: string;
  readonly keys: readonly string[];
  /** When the last of its objects was stored. */
  readonly storedAtMs: number;
}

export interface Catalogue {
  /** Newest first. */
  readonly backups: readonly CataloguedBackup[];
  readonly unfinished: readonly UnfinishedBackup[];
  /** Ids whose `backup.json` cannot be read: kept, never restored, shown. */
  readonly unreadable: readonly string[];
  /** Ids whose removal was begun: no restore points any more. */
  readonly expiring: readonly string[];
}

export async function readCatalogue(repo: Repo, signal: AbortSignal): Promise<Catalogue> {
  const [objects, proofs] = await Promise.all([
    repo.list("base/", signal),
    repo.list("proofs/", signal),
  ]);
  const verifications = verificationsIn(proofs);
  const backups: CataloguedBackup[] = [];
  const unfinished: UnfinishedBackup[] = [];
  const unreadable: string[] = [];
  const expiring: string[] = [];
  for (const [id, members] of byBackup(objects, inItsFolder)) {
    if (members.some(({ key }) => key === expiredKey("base", id))) {
      expiring.push(id);
      continue;
    }
    if (!members.some(({ key }) => key === baseKey(id, "backup.json"))) {
      unfinished.push(unfinishedOf(id, members));
      continue;
    }
    const record = await readRecord(repo, id, signal);
    if (record === undefined) unreadable.push(id);
    else backups.push({ record, verifications: verifications.get(id) ?? [] });
  }
  const newestFirst = backups.toSorted((a, b) => (a.record.id < b.record.id ? 1 : -1));
  return { backups: newestFirst, unfinished, unreadable, expiring };
}

/** Undefined when what lies there is no record of ours, or of another backup. */
async function readRecord(
  repo: Repo,
  id: string,
  signal: AbortSignal,
): Promise<BackupRecord | undefined> {
  const text = await textOf(await repo.get(baseKey(id, "backup.json"), signal));
  const record = recordIn(text);
  return record?.id === id ? record : undefined;
}

/** One backup by its id, or the newest when none is named. Throws BACKUP_MISSING, or REPO_DAMAGED when its record is. */
export async function findBackup(
  repo: Repo,
  id: string | undefined,
  signal: AbortSignal,
): Promise<CataloguedBackup> {
  const { backups, unreadable, expiring } = await readCatalogue(repo, signal);
  const found = id === undefined ? backups[0] : backups.find(({ record }) => record.id === id);
  if (found !== undefined) return found;
  const attempt = `looking for a backup in the repository ${repo.name}`;
  if (id === undefined) throw new AppError("BACKUP_MISSING", attempt, "it holds none");
  if (unreadable.includes(id)) throw new AppError("REPO_DAMAGED", attempt, `backup.json of ${id}`);
  if (expiring.includes(id)) throw new AppError("BACKUP_MISSING", attempt, `${id} has expired`);
  throw new AppError("BACKUP_MISSING", attempt, `it holds none named ${id}`);
}

/** The objects of each backup; what belongs to none is passed over. */
export function byBackup(
  objects: readonly StoredObject[],
  idOf: (object: StoredObject) => string | undefined,
): ReadonlyMap<string, readonly StoredObject[]> {
  const groups = new Map<string, StoredObject[]>();
  for (const object of objects) {
    const id = idOf(object);
    if (!isBackupId(id)) continue;
    const known = groups.get(id);
    if (known === undefined) groups.set(id, [object]);
    else known.push(object);
  }
  return groups;
}

/** `base/<id>/…`, `logical/<id>/…`, and the notes below `in-use/<id>/…`. */
export const inItsFolder = ({ key }: StoredObject): string | undefined => key.split("/")[1];

const unfinishedOf = (id: string, members: readonly StoredObject[]): UnfinishedBackup => ({
  id,
  keys: members.map(({ key }) => key),
  storedAtMs: Math.max(...members.map(({ storedAtMs }) => storedAtMs)),
});

/** The verdicts on each backup, the newest first; other proofs are passed over. */
export function verificationsIn(proofs: readonly StoredObject[]): Map<string, Verification[]> {
  const found = new Map<string, Verification[]>();
  for (const { key } of proofs) {
    const read = parseVerificationKey(key);
    if (read === undefined) continue;
    const { id, ...verification } = read;
    const list = found.get(id) ?? [];
    list.push(verification);
    found.set(
      id,
      list.toSorted((a, b) => b.atMs - a.atMs),
    );
  }
  return found;
}
