// A repository in a directory: a disk of its own, or a mounted one of another host.
//
// An object is written under a name that nobody lists, synced, and linked to its own name: link(2) refuses an existing
// one, so whoever is second overwrites nothing, also between hosts on a shared file system.
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError, asAppError, type ErrorCode } from "../../model/error.ts";
import type { PutBytes, PutOptions, PutOutcome, Repo, StoredObject } from "../../ports/repo.ts";
import { bounded, endedBy, whole } from "./bounded.ts";
import { Pen } from "./pen.ts";
import { probeByDoing } from "./probe.ts";
import { requireAnnounced, Tally, tallyOf } from "./tally.ts";

/** What is being written has such a name; what is left of a writer that died is removed a day later. */
const UNFINISHED = /^\.put-/;
const LEFT_BEHIND_MS = 24 * 3_600_000;
const SWEEP_EVERY_MS = 3_600_000;

export interface DirectoryOptions {
  readonly name: string;
  /** Must exist and be ours: a mount point whose disk is not there must not be filled. */
  readonly directory: string;
  /** Folder of the cluster below it. */
  readonly place: string;
}

/** The objects of one cluster in a directory. */
export function createDirectoryRepo(options: DirectoryOptions): Repo {
  const root = join(options.directory, options.place);
  const pathOf = (key: string): string => join(root, key);
  const run = async <T>(
    attempt: string,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> => {
    signal.throwIfAborted();
    const doing = work().catch((error: unknown) => {
      throw asRepoError(error, `${attempt} in the repository ${options.name}`);
    });
    return bounded(doing, signal, { code: "REPO_UNREACHABLE", attempt });
  };
  const swept = new Map<string, number>();
  const repo: Repo = {
    name: options.name,
    kind: "directory",
    async put(key, content, announced, signal) {
      const path = pathOf(key);
      const unfinished = join(dirname(path), `.put-${randomBytes(8).toString("hex")}`);
      const file = await run(`preparing ${key}`, signal, () =>
        openUnfinished(unfinished, { directory: options.directory, swept }),
      );
      return putFile({ key, path, unfinished, file, content, announced, signal });
    },
    async get(key, signal) {
      const path = pathOf(key);
      const sizeBytes = await run(`reading ${key}`, signal, async () => (await stat(path)).size);
      const content = contentOf(path);
      const attempt = `reading ${key} from the repository`;
      return whole({ content, sizeBytes, attempt, asRepoError }, signal);
    },
    fileOf: pathOf,
    head: (key, signal) =>
      run(`looking for ${key}`, signal, async () => {
        // Where the disk is not mounted nothing is there, and that says nothing of the object.
        await requireOurs(options.directory);
        return headFile(key, pathOf(key));
      }),
    list: (prefix, signal) =>
      run(`listing ${prefix}`, signal, async () => {
        await requireOurs(options.directory);
        return listBelow(root, prefix);
      }),
    remove: (key, signal) =>
      run(`removing ${key}`, signal, async () => {
        const folder = dirname(pathOf(key));
        await rm(pathOf(key), { force: true });
        await syncFolder(folder).catch(ignoreAbsent);
        // Else each segment and each backup would leave an empty one behind. The system keeps one that is not empty.
        if (folder !== root) await rmdir(folder).catch(() => undefined);
      }),
    probe: (signal) => probeByDoing(repo, signal),
  };
  return repo;
}

interface Putting {
  readonly key: string;
  readonly path: string;
  /** Under this name, opened, until all of it is there. */
  readonly unfinished: string;
  readonly file: FileHandle;
  readonly content: AsyncIterable<Uint8Array>;
  readonly announced: PutOptions;
  readonly signal: AbortSignal;
}

async function putFile(putting: Putting): Promise<PutOutcome> {
  const { key, path, unfinished, file, content, announced, signal } = putting;
  try {
    const went = await writeUnfinished(file, content, signal);
    requireAnnounced(key, went, announced);
    signal.throwIfAborted();
    const isNew = await linkNew(unfinished, path);
    // Also for one that was there: whoever linked it may have died before this.
    await syncFolder(dirname(path));
    if (isNew) return { kind: "stored", ...went };
    const there = await tallyOf(createReadStream(path));
    return { kind: there.sha256 === went.sha256 ? "exists-same" : "exists-different", ...went };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw asRepoError(error, `putting ${key} into the repository`);
  } finally {
    await rm(unfinished, { force: true }).catch(() => undefined);
  }
}

interface Place {
  readonly directory: string;
  /** When each folder was last looked through for what writers have left behind. */
  readonly swept: Map<string, number>;
}

/** Whoever removes the last object of a folder removes the folder: it may go between making it and writing to it. */
const MOST_TRIES = 5;

async function openUnfinished(path: string, place: Place): Promise<FileHandle> {
  for (let tries = 1; ; tries += 1) {
    try {
      await prepareFolder(place, path);
      return await open(path, "wx", 0o640);
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || tries === MOST_TRIES) throw error;
    }
  }
}

async function writeUnfinished(
  file: FileHandle,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<PutBytes> {
  const tally = new Tally();
  await using _ = closing(file);
  const pen = new Pen(file);
  for await (const bytes of endedBy(content, signal)) {
    tally.add(bytes);
    await pen.write(bytes);
  }
  await pen.end();
  await file.sync();
  return tally.result();
}

async function linkNew(unfinished: string, path: string): Promise<boolean> {
  try {
    await link(unfinished, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Every folder on the way, each durable in the one above it. */
async function prepareFolder({ directory, swept }: Place, path: string): Promise<void> {
  await requireOurs(directory);
  const folder = dirname(path);
  const first = await mkdir(folder, { recursive: true, mode: 0o750 });
  for (let made = folder; first !== undefined && made.length >= first.length; made = dirname(made))
    await syncFolder(dirname(made));
  // A folder of WAL has many thousand names: they are not read again for each new one.
  if (performance.now() - (swept.get(folder) ?? -SWEEP_EVERY_MS) < SWEEP_EVERY_MS) return;
  await removeLeftBehind(folder);
  swept.set(folder, performance.now());
}

async function removeLeftBehind(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!UNFINISHED.test(name)) continue;
    // One that its writer has just linked and removed is gone by now.
    const seen = await stat(join(folder, name)).catch(ignoreAbsent);
    if (seen !== undefined && Date.now() - seen.mtimeMs > LEFT_BEHIND_MS)
      await rm(join(folder, name), { force: true });
  }
}

/** A directory of somebody else is not filled, even where root could. */
async function requireOurs(directory: string): Promise<void> {
  const { uid } = await stat(directory);
  const mine = process.geteuid?.();
  if (uid !== mine)
    throw new AppError(
      "REPO_REFUSED",
      `using ${directory}`,
      `it belongs to the user with number ${uid}, and we are ${mine}: chown it`,
    );
}

async function headFile(key: string, path: string): Promise<StoredObject | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { key, sizeBytes: size, storedAtMs: Math.round(mtimeMs) };
  } catch (error) {
    ignoreAbsent(error);
    return undefined;
  }
}

async function listBelow(root: string, prefix: string): Promise<readonly StoredObject[]> {
  const folders = [prefix.includes("/") ? dirname(`${prefix}x`) : ""];
  const keys: string[] = [];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(ignoreAbsent);
    for (const entry of entries ?? []) {
      const key = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(key);
      else if (key.startsWith(prefix) && !UNFINISHED.test(entry.name)) keys.push(key);
    }
  }
  const found: StoredObject[] = [];
  for (const key of keys.toSorted()) {
    // One that was removed since is no object any more.
    const there = await headFile(key, join(root, key));
    if (there !== undefined) found.push(there);
  }
  return found;
}

/** Opened by who begins to read: nobody else would close it. */
async function* contentOf(path: string): AsyncIterable<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: 256 * 1024 });
}

const MEANINGS: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "REPO_FULL",
  EDQUOT: "REPO_FULL",
  EACCES: "REPO_REFUSED",
  EPERM: "REPO_REFUSED",
  EROFS: "REPO_REFUSED",
  ENOENT: "REPO_MISSING",
};

function asRepoError(error: unknown, attempt: string): AppError {
  return asAppError(error, MEANINGS[codeOf(error)] ?? "REPO_UNREACHABLE", attempt);
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

function ignoreAbsent(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw error;
  return undefined;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  await using _ = closing(folder);
  await folder.sync();
}

const closing = (file: FileHandle) => ({ [Symbol.asyncDispose]: () => file.close() });
