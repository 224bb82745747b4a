// Where does a drill's copy live, and how is nothing of it ever left behind?
//
// Each drill makes one directory of its own and puts a marker into it first. Only what bears our marker is ever removed,
// and only after nothing runs in it any more.
import { mkdir, readFile, realpath, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { takeDown } from "../adapters/fence/takedown.ts";
import { isAbsent, namesIn } from "../adapters/postgres/files.ts";
import { createClock } from "../adapters/system/clock.ts";
import { isRoot } from "../adapters/system/os-user.ts";
import { readProcess } from "../adapters/system/process-list.ts";
import { backupIdOf, isBackupId } from "../model/backup-record.ts";
import { AppError, asAppError } from "../model/error.ts";
import type { NodeSettings } from "../model/settings.ts";
import { drillRoot } from "../model/settings-drill.ts";
import { isObject } from "../model/wire/json.ts";

/** One drill's own directory, and what lies in it. */
export interface Scratch {
  readonly directory: string;
  readonly dataDir: string;
  readonly socketDir: string;
  readonly logFile: string;
}

const LONGEST_ID = backupIdOf(0, "00000000");
const MARKER = "understudy_drill.json";
/** Of the copy's socket: a name, and nothing that listens on a network. */
export const PORT = 5432;
/** The kernel allows so many bytes for the path of a socket. */
export const SOCKET_NAME_LIMIT = 107;
const MARKING_MS = 60_000;
const STOP_GRACE_MS = 10_000;
const STOP_LIMIT_MS = 60_000;

const scratchAt = (directory: string): Scratch => ({
  directory,
  dataDir: join(directory, "data"),
  socketDir: join(directory, "s"),
  logFile: join(directory, "server.log"),
});

/** The directory of all drills, made if it is missing. Throws NOT_POSSIBLE when it is somebody else's, or lies in what must not be touched. */
export async function openRoot(settings: NodeSettings): Promise<string> {
  const root = drillRoot(settings.postgres.stateDir, settings.backup?.drill);
  const refuse = (why: string): never => {
    throw new AppError("NOT_POSSIBLE", `making room for a drill in ${root}`, why);
  };
  const socket = join(scratchAt(join(root, LONGEST_ID)).socketDir, `.s.PGSQL.${PORT}`);
  if (Buffer.byteLength(socket) > SOCKET_NAME_LIMIT) {
    return refuse("its name is too long for a socket: name another in backup.drill.directory");
  }
  if (isRoot()) return refuse("PostgreSQL does not run as root");
  const place = await willBe(root);
  for (const [what, path] of await kept(settings)) {
    const isWithin = place === path || place.startsWith(`${path}/`);
    if (isWithin) return refuse(`it lies in ${what}: name another in backup.drill.directory`);
  }
  await mkdir(root, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST" || error.code === "ENOTDIR") return refuse("it is no directory");
    throw asAppError(error, "NOT_POSSIBLE", `making ${root}`);
  });
  const { uid } = await stat(root);
  const mine = process.geteuid?.();
  if (uid === mine) return root;
  return refuse(`it belongs to user number ${uid}, and PostgreSQL runs as ${mine}`);
}

/** The real path that a directory has or will have: links are followed as far as anything is there. */
async function willBe(path: string): Promise<string> {
  const found = await realpath(path).catch(isAbsent);
  if (found !== undefined || path === dirname(path)) return found ?? path;
  return join(await willBe(dirname(path)), basename(path));
}

/** What a drill must never write into. */
async function kept(settings: NodeSettings): Promise<readonly (readonly [string, string])[]> {
  const directories = (settings.backup?.repositories ?? []).flatMap(({ name, place }) =>
    place.kind === "directory" ? [[`the repository ${name}`, place.directory] as const] : [],
  );
  const all = [["the data directory", settings.postgres.dataDir] as const, ...directories];
  const real = all.map(async ([what, path]) => {
    const found = await realpath(path).catch(isAbsent);
    return found === undefined ? [] : [[what, found] as const];
  });
  return (await Promise.all(real)).flat();
}

/** A new directory with our marker in it. */
export async function openScratch(root: string, id: string): Promise<Scratch> {
  const scratch = scratchAt(join(root, id));
  await mkdir(scratch.directory, { mode: 0o700 });
  const startTime = readProcess(process.pid)?.startTime;
  const marker = { kind: "drill", id, host: hostname(), pid: process.pid, startTime };
  await writeFile(join(scratch.directory, MARKER), `${JSON.stringify(marker)}\n`, { flag: "wx" });
  await mkdir(scratch.socketDir, { mode: 0o700 });
  return scratch;
}

/** Ends what runs in it and removes it. Throws NOT_POSSIBLE when a process of it does not end. */
export async function closeScratch({ directory, dataDir }: Scratch): Promise<void> {
  const { now } = createClock();
  const { down } = await takeDown({
    dataDir,
    now,
    graceMs: STOP_GRACE_MS,
    timeoutMs: STOP_LIMIT_MS,
  });
  if (!down) {
    const why = `a server process in ${dataDir} does not end`;
    throw new AppError("NOT_POSSIBLE", "removing a drill's copy", why);
  }
  await rm(directory, { recursive: true, force: true });
}

/** Removes what drills have left that were killed. Answers their ids; what still runs, or is not ours, stays. */
export async function sweepScratch(root: string): Promise<readonly string[]> {
  const swept: string[] = [];
  for (const id of (await namesIn(root)).filter(isBackupId)) {
    const directory = join(root, id);
    const owner = await ownerOf(directory, id);
    if (owner === "running" || owner === "stranger") continue;
    // Killed between making it and marking it: empty, or not removed.
    if (owner === "unmarked") await rmdir(directory).catch(() => undefined);
    else await closeScratch(scratchAt(directory));
    swept.push(id);
  }
  return swept;
}

async function ownerOf(
  directory: string,
  id: string,
): Promise<"running" | "dead" | "unmarked" | "stranger"> {
  const { uid, mtimeMs } = await stat(directory);
  if (uid !== process.geteuid?.()) return "stranger";
  const text = await readFile(join(directory, MARKER), "utf8").catch(isAbsent);
  // One that was made just now is about to be marked.
  if (text === undefined) return Date.now() - mtimeMs < MARKING_MS ? "running" : "unmarked";
  const marker = parseMarker(text);
  // Half a marker: killed while it was written, and nothing was made before it.
  if (marker === undefined) return "dead";
  // A disk may be shared: whether a process of another host lives cannot be seen from here.
  if (marker.id !== id || marker.host !== hostname()) return "stranger";
  return readProcess(marker.pid)?.startTime === marker.startTime ? "running" : "dead";
}

function parseMarker(text: string) {
  try {
    const read: unknown = JSON.parse(text);
    if (!isObject(read) || read["kind"] !== "drill") return undefined;
    const { id, host, pid, startTime } = read;
    return typeof pid === "number" ? { id, host, pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}
