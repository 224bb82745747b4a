// What lies in a repository, as far as expiry goes? A look that is complete, or no look at all.
import { objectsOf } from "../model/backup-record.ts";
import type { DrillProof } from "../model/drill.ts";
import { AppError } from "../model/error.ts";
import {
  type SeenBackup,
  type SeenRecord,
  type SeenRepository,
  STALE_MS,
} from "../model/expiry.ts";
import { type LogicalRecord, parseLogical } from "../model/logical-backup.ts";
import { type BackupKind, EXPIRED_FILE, IN_USE_PREFIX, walFileOf } from "../model/repo-keys.ts";
import type { RepositoryIdentity } from "../model/repository.ts";
import { parseVerificationKey } from "../model/verification.ts";
import { parseTailKey, TAIL_PREFIX } from "../model/wal-tail.ts";
import type { Repo, StoredObject } from "../ports/repo.ts";
import { textOf } from "./bytes.ts";
import { byBackup, inItsFolder, verificationsIn } from "./catalogue.ts";
import { lastOf, readDrills } from "./drill-proofs.ts";
import { recordIn } from "./record-text.ts";
import type { Shelf } from "./shelf.ts";

export interface Look {
  readonly seen: SeenRepository;
  /** The objects of each backup. */
  readonly folders: ReadonlyMap<string, readonly StoredObject[]>;
  /** Verdicts and notes of each backup. */
  readonly beside: ReadonlyMap<string, readonly StoredObject[]>;
  readonly wal: readonly StoredWal[];
  readonly tails: readonly StoredObject[];
}

export interface StoredWal {
  /** PostgreSQL's. */
  readonly name: string;
  readonly object: StoredObject;
}

export interface LookWish extends Pick<Shelf, "repo" | "signers" | "ownSigner"> {
  readonly identity: RepositoryIdentity;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** What a run writes over a folder that it gives up: whoever took that backup can end it no more. */
export const ABANDONED = `${JSON.stringify({ abandoned: true })}\n`;

/** Throws REPO_…: also when an object is missing that a record names, since a list without it is not complete. */
export async function lookAt(wish: LookWish): Promise<Look> {
  const { repo, signal } = wish;
  const list = (prefix: string) => repo.list(prefix, signal);
  // WAL first: a piece is then never seen without the whole segment that came after it.
  const walObjects = await list("wal/");
  const [base, logical, proofs, notes, tails] = await Promise.all([
    list("base/"),
    list("logical/"),
    list("proofs/"),
    list(IN_USE_PREFIX),
    list(TAIL_PREFIX),
  ]);
  const folders = new Map([...byBackup(base, inItsFolder), ...byBackup(logical, inItsFolder)]);
  const beside = besideOf(proofs, notes);
  const { systemId } = wish.identity;
  const drills = await readDrills({ ...wish, systemId }, signal);
  const backups: SeenBackup[] = [];
  for (const [id, objects] of folders) {
    const kind: BackupKind = objects[0]?.key.startsWith("base/") === true ? "base" : "logical";
    backups.push(
      await seenBackup(wish, {
        ...{ id, kind, objects, beside: beside.get(id) ?? [] },
        drill: lastOf(drills, id),
      }),
    );
  }
  const wal = walObjects.flatMap((object): StoredWal[] => {
    const name = walFileOf(object.key);
    return name === undefined ? [] : [{ name, object }];
  });
  const all = [walObjects, base, logical, tails].flat();
  const newestMs = all.length === 0 ? undefined : newestOf(all);
  return { seen: { backups, newestMs }, folders, beside, wal, tails };
}

/** One by one: a call takes some hundred thousand arguments at most, and an archive of years has more segments. */
const newestOf = (objects: readonly StoredObject[]): number =>
  objects.reduce((latest, { storedAtMs }) => Math.max(latest, storedAtMs), -Infinity);

interface Folder {
  readonly id: string;
  readonly kind: BackupKind;
  readonly objects: readonly StoredObject[];
  readonly beside: readonly StoredObject[];
  /** The last one of it. */
  readonly drill: DrillProof | undefined;
}

async function seenBackup(wish: LookWish, folder: Folder): Promise<SeenBackup> {
  const { id, kind, objects, beside } = folder;
  const notes = beside.filter(({ key }) => key.startsWith(IN_USE_PREFIX));
  const about = {
    kind,
    id,
    sizeBytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    lastSignMs: newestOf([...objects, ...notes]),
    isInUse: notes.some(({ storedAtMs }) => wish.nowMs - storedAtMs < STALE_MS),
  };
  const has = (file: string): boolean => objects.some(({ key }) => key === `${kind}/${id}/${file}`);
  const isMarked = has(EXPIRED_FILE);
  if (!has("backup.json"))
    return { ...about, state: isMarked ? "marked" : "unfinished", record: undefined };
  const text = await textOf(await wish.repo.get(`${kind}/${id}/backup.json`, wish.signal));
  const record = kind === "base" ? baseRecord(wish, folder, text) : dumpRecord(wish, folder, text);
  if (isMarked) return { ...about, state: "marked", record };
  if (text === ABANDONED) return { ...about, state: "abandoned", record: undefined };
  if (record === undefined) return { ...about, state: "unreadable", record };
  // What was found damaged may well lack a file: it is no restore point, and goes when it is old.
  if (record.verified !== "failed") requireFiles(wish.repo, folder, filesIn(kind, text));
  return { ...about, state: "whole", record };
}

function baseRecord(wish: LookWish, folder: Folder, text: string): SeenRecord | undefined {
  const record = recordIn(text);
  if (record?.id !== folder.id) return undefined;
  requireOurs(wish, record);
  const { timeline, startLsn, segmentBytes, finishedAtMs } = record;
  const [last] = verificationsIn(folder.beside).get(folder.id) ?? [];
  return {
    finishedAtMs: Math.max(finishedAtMs, storedAt(folder)),
    verified: last?.outcome ?? "never",
    isDoubtful: folder.drill?.outcome === "failed",
    from: { timeline, startLsn, segmentBytes },
    group: "base",
  };
}

/** Each dump was read back before its record was written: that is its proof. */
function dumpRecord(wish: LookWish, folder: Folder, text: string): SeenRecord | undefined {
  const record = parseLogical(text);
  if (record?.id !== folder.id) return undefined;
  requireOurs(wish, record);
  return {
    finishedAtMs: Math.max(record.finishedAtMs, storedAt(folder)),
    verified: "passed",
    from: undefined,
    group: groupOf(record),
  };
}

/** A dump of one table is no replacement for one of the whole database. */
const groupOf = ({ database, tables, globals }: LogicalRecord): string =>
  JSON.stringify([database, tables.toSorted(), globals]);

const storedAt = ({ kind, id, objects }: Folder): number =>
  objects.find(({ key }) => key === `${kind}/${id}/backup.json`)?.storedAtMs ?? 0;

const filesIn = (kind: BackupKind, text: string): readonly string[] => {
  if (kind === "logical") return parseLogical(text)?.objects.map(({ file }) => file) ?? [];
  const record = recordIn(text);
  return record === undefined ? [] : objectsOf(record).map(({ file }) => file);
};

function requireFiles(repo: Repo, { kind, id, objects }: Folder, files: readonly string[]): void {
  const there = new Set(objects.map(({ key }) => key));
  const missing = files.find((file) => !there.has(`${kind}/${id}/${file}`));
  if (missing === undefined) return;
  const why = `${kind}/${id}/${missing} is named by its record and is not in the list`;
  throw new AppError("REPO_DAMAGED", `listing the repository ${repo.name}`, why);
}

function requireOurs(
  { repo, identity }: LookWish,
  record: { readonly id: string; readonly scope: string; readonly systemId: string },
): void {
  if (record.systemId === identity.systemId && record.scope === identity.scope) return;
  const why = `${record.id} is a backup of ${record.scope}, system ${record.systemId}`;
  throw new AppError("REPO_FOREIGN", `looking at the repository ${repo.name}`, why);
}

/** Its verdicts and notes. */
const besideOf = (
  proofs: readonly StoredObject[],
  notes: readonly StoredObject[],
): ReadonlyMap<string, readonly StoredObject[]> =>
  byBackup(
    [...proofs, ...notes],
    (object) => parseVerificationKey(object.key)?.id ?? noteOf(object),
  );

const noteOf = (object: StoredObject): string | undefined =>
  object.key.startsWith(IN_USE_PREFIX) ? inItsFolder(object) : undefined;

/** Of these pieces, those whose segment lies there whole, or so far back that no backup leads to it. */
export function spentTails(
  { tails, wal }: Look,
  isBelowFloor: (segment: string) => boolean,
): readonly StoredObject[] {
  const whole = new Set(wal.map(({ name }) => name));
  return tails.filter(({ key }) => {
    const piece = parseTailKey(key);
    return piece !== undefined && (whole.has(piece.segment) || isBelowFloor(piece.segment));
  });
}
