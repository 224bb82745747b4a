// How does a backup become a data directory that PostgreSQL can recover from? Beside its place, and renamed when whole.
//
// Nothing at the target is touched before every file has been compared with the manifest. A run that was interrupted
// leaves `<target>.restoring`; the next run of the same backup goes on in it.
import { chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readControlFile } from "../adapters/postgres/control-data.ts";
import { diskSpace } from "../adapters/postgres/directory.ts";
import { isAbsent, namesIn, renameDurably, sizeBelow } from "../adapters/postgres/files.ts";
import { run } from "../adapters/system/spawn.ts";
import { printBytes } from "../model/amounts.ts";
import type { BackupObject, BackupRecord } from "../model/backup-record.ts";
import { AppError } from "../model/error.ts";
import { baseKey } from "../model/repo-keys.ts";
import {
  type Recovery,
  type RestoreTarget,
  recoverySettings,
  withoutRecovery,
  withRecovery,
} from "../model/restore-target.ts";
import type { NodeSettings } from "../model/settings.ts";
import { filesOf, type WalWindow } from "../model/wal-window.ts";
import type { TarReader } from "../model/wire/tar.ts";
import type { Archive } from "./archive.ts";
import { asStored, naming, textOf } from "./bytes.ts";
import { inUse } from "./in-use.ts";
import { findLastRecord } from "./last-record.ts";
import { manifestIn } from "./manifest.ts";
import { type BackupProgress, createPulse } from "./progress.ts";
import { type FileOwner, FileWriter } from "./restore-files.ts";
import { fetchWal } from "./restore-wal.ts";
import type { Shelf, Take } from "./shelf.ts";
import { readBack } from "./stored-object.ts";
import { createSumming } from "./summing.ts";

export interface RestoreOptions {
  readonly shelf: Shelf;
  readonly record: BackupRecord;
  readonly targetDir: string;
  /** New directories of tablespaces by their oid. */
  readonly tablespaces: ReadonlyMap<string, string>;
  readonly target: RestoreTarget;
  readonly timeline: number;
  readonly action: Recovery["action"];
  /** WAL of the repository that leads to the target; undefined: only what the backup has itself. */
  readonly wal: { readonly archive: Archive; readonly window: WalWindow } | undefined;
  /** The target is an empty directory of the caller's: filled where it is, and emptied by the caller when this fails. */
  readonly isInPlace?: boolean;
  /** It becomes a standby, which goes on for as long as there is WAL, and not a copy that ends at the target. */
  readonly isStandby?: boolean;
  /** For the programs of PostgreSQL. */
  readonly settings: NodeSettings;
  readonly owner: FileOwner | undefined;
  readonly onProgress: (progress: BackupProgress) => void;
  readonly signal: AbortSignal;
}

/** What is noted in the draft, so that it is only gone on with for the same backup. */
const NOTE = "understudy_restore.json";
const SYNC_LIMIT_MS = 600_000;

const attemptOf = ({ record, targetDir }: RestoreOptions): string =>
  `restoring ${record.id} to ${targetDir}`;

const draftOf = ({ targetDir, isInPlace }: RestoreOptions): string =>
  isInPlace === true ? targetDir : `${targetDir}.restoring`;

/** Throws when the target is somebody's, or when there is not room enough. */
export async function requireTarget(options: RestoreOptions): Promise<void> {
  const attempt = attemptOf(options);
  const draft = draftOf(options);
  await requireNew(options.targetDir, attempt);
  for (const directory of options.tablespaces.values()) await requireOwn(directory, draft, attempt);
  await requireRoom(options, attempt);
}

/** To be called when the target is as it must be. */
export async function restoreBackup(options: RestoreOptions): Promise<void> {
  const { shelf, record, signal } = options;
  const use = { repo: shelf.repo, kind: "base", id: record.id, what: "restoring" } as const;
  await inUse(use, signal, () => carryOut(options));
}

async function carryOut(options: RestoreOptions): Promise<void> {
  const { targetDir } = options;
  const attempt = attemptOf(options);
  const draft = draftOf(options);
  await openDraft(draft, options, attempt);
  await extract(draft, options, attempt);
  if (options.wal !== undefined) {
    const { id } = options.record;
    await fetchWal({ ...options, ...options.wal, id, directory: draft });
  }
  if (options.isStandby === true) await prepareStandby(draft, options);
  else await prepareRecovery(draft, options, await recoveryOf(draft, options));
  await makeDurable(draft, attempt);
  // Empty, or not there: a rename replaces nothing that anybody could miss.
  if (draft !== targetDir) await renameDurably(draft, targetDir);
  await rm(join(targetDir, NOTE), { force: true });
}

async function makeDurable(draft: string, attempt: string): Promise<void> {
  const { code, stderr } = await run({
    program: "sync",
    args: ["--file-system", draft],
    timeoutMs: SYNC_LIMIT_MS,
  });
  if (code !== 0) throw new AppError("RESTORE_FAILED", attempt, stderr.trim());
}

/** An existing directory with anything in it is somebody's. */
async function requireNew(directory: string, attempt: string): Promise<void> {
  // A file system of its own has that folder from the beginning.
  const names = (await namesIn(directory)).filter((name) => name !== "lost+found");
  if (names.length === 0) return;
  const why = `${directory} is not empty (${names.slice(0, 3).join(", ")}): name a new one`;
  throw new AppError("NOT_POSSIBLE", attempt, why);
}

/** A tablespace's new directory must be new too, unless our own interrupted run has begun to fill it. */
async function requireOwn(directory: string, draft: string, attempt: string): Promise<void> {
  const isResumed = (await noteIn(draft)) !== undefined;
  if (!isResumed) await requireNew(directory, attempt);
}

/** Of the files and of the WAL that is laid beside them. */
export const neededBytes = ({ record, wal }: Pick<RestoreOptions, "record" | "wal">): number =>
  record.dataBytes + (wal === undefined ? 0 : filesOf(wal.window).length * record.segmentBytes);

async function requireRoom(options: RestoreOptions, attempt: string): Promise<void> {
  const { targetDir } = options;
  const space = await diskSpace(targetDir);
  const needed = neededBytes(options) - (await sizeBelow(draftOf(options)));
  if (space === undefined || space.free >= needed) return;
  const why = `${printBytes(needed)} are needed and ${printBytes(space.free)} are free beside ${targetDir}`;
  throw new AppError("PG_DISK_FULL", attempt, why);
}

async function noteIn(draft: string): Promise<string | undefined> {
  const text = await readFile(join(draft, NOTE), "utf8").catch(isAbsent);
  return text?.trim();
}

async function openDraft(draft: string, options: RestoreOptions, attempt: string): Promise<void> {
  const { record, owner } = options;
  const names = (await namesIn(draft)).filter((name) => name !== "lost+found");
  if (names.length > 0 && (await noteIn(draft)) !== record.id) {
    const why = `${draft} is there and holds something else: remove it or name another directory`;
    throw new AppError("NOT_POSSIBLE", attempt, why);
  }
  await mkdir(draft, { recursive: true, mode: 0o700 });
  await writeFile(join(draft, NOTE), `${record.id}\n`);
  const folders = [draft, ...options.tablespaces.values()];
  for (const folder of folders) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  }
}

async function extract(draft: string, options: RestoreOptions, attempt: string): Promise<void> {
  const { shelf, record, owner, signal, onProgress } = options;
  const pulse = createPulse(onProgress);
  const { manifest: listing } = record;
  const stored = await shelf.repo.get(baseKey(record.id, listing.file), signal);
  const text = await textOf(shelf.unpack(listing.file, asStored(stored, listing)));
  const manifest = manifestIn(text, attempt);
  const summing = await createSumming(manifest.summedBy);
  const writer = new FileWriter({ manifest, summing, owner, attempt });
  const unpackTo = (object: BackupObject, reader: TarReader): Promise<void> =>
    naming(object.file, async () => {
      const { id, dataBytes: totalBytes } = record;
      const take: Take = (bytes) => {
        reader.push(bytes);
        pulse({ id, phase: "restoring", doneBytes: writer.doneBytes, totalBytes });
      };
      await readBack(shelf, { key: baseKey(id, object.file), ...object, take }, signal);
      reader.finish();
    });
  await unpackTo(record.data, writer.reader(draft, ""));
  for (const space of record.tablespaces) {
    const directory = options.tablespaces.get(space.oid) ?? "";
    await unpackTo(space, writer.reader(directory, `pg_tblspc/${space.oid}/`));
  }
  writer.requireAll();
}

/** Whom the copy followed, and who waited for whom, is of the original's life and not of its own. */
const OF_THE_ORIGINAL = ["postgresql.upstream.conf", "postgresql.sync.conf"];

/** What "latest" means is looked up now: the last record of the WAL that was fetched. */
async function recoveryOf(draft: string, options: RestoreOptions): Promise<Recovery> {
  const { target, timeline, action, wal } = options;
  if (target.kind !== "latest") return { target, timeline, action };
  if (wal === undefined) return { target: { kind: "backup" }, timeline, action };
  const lsn = await findLastRecord({ ...options, directory: draft, window: wal.window });
  return { target: { kind: "lsn", lsn }, timeline, action };
}

async function prepareRecovery(draft: string, options: RestoreOptions, recovery: Recovery) {
  const { owner, record } = options;
  await forgetOriginal(draft);
  const settings = { ...recoverySettings(recovery), ...(await limitsOf(draft)) };
  await changeAutoConf(draft, options, (text) => withRecovery(text, settings));
  await writeFile(join(draft, "recovery.signal"), "", { mode: 0o600 });
  if (record.tablespaces.length > 0) {
    const lines = record.tablespaces.map(({ oid }) => `${oid} ${options.tablespaces.get(oid)}\n`);
    await writeFile(join(draft, "tablespace_map"), lines.join(""), { mode: 0o600 });
  }
  if (owner !== undefined) await chown(join(draft, "recovery.signal"), owner.uid, owner.gid);
}

/** Whom it follows is said by whoever starts it; a target of an earlier restore would end its life as a standby. */
async function prepareStandby(draft: string, options: RestoreOptions): Promise<void> {
  await forgetOriginal(draft);
  await changeAutoConf(draft, options, withoutRecovery);
}

async function forgetOriginal(draft: string): Promise<void> {
  const names = new Set(await namesIn(draft));
  await rm(join(draft, "standby.signal"), { force: true });
  for (const name of OF_THE_ORIGINAL) if (names.has(name)) await writeFile(join(draft, name), "");
}

async function changeAutoConf(
  draft: string,
  { owner }: RestoreOptions,
  change: (text: string) => string,
): Promise<void> {
  const path = join(draft, "postgresql.auto.conf");
  const text = (await readFile(path, "utf8").catch(isAbsent)) ?? "";
  await writeFile(path, change(text), { mode: 0o600 });
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

/**
 * The original may have got these on its command line. Recovery of a copy that is open to readers ends where one of them
 * is smaller than it was there.
 */
async function limitsOf(draft: string): Promise<Readonly<Record<string, string>>> {
  const limits = Object.entries((await readControlFile(draft))?.limits ?? {});
  return Object.fromEntries(limits.map(([name, value]) => [name, String(value)]));
}
