// Which backups has this host begun, and which of their runners are surely dead?
//
// A store cannot tell a dead runner from a slow one, so what is unfinished counts for a day, and holds WAL for so long. This
// host can tell: each runner leaves a note here that names its process. What a dead one began is given up in the way of
// an expiry, by putting its record: should it live after all, its backup fails, and nothing else.
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAbsent, namesIn } from "../adapters/postgres/files.ts";
import {
  type HostIdentity,
  judgeHostIdentity,
  readHostIdentity,
} from "../adapters/system/host-identity.ts";
import { readProcess } from "../adapters/system/process-list.ts";
import { isBackupId } from "../model/backup-record.ts";
import { type BackupKind, IN_USE_PREFIX } from "../model/repo-keys.ts";
import { isObject } from "../model/wire/json.ts";
import type { Repo } from "../ports/repo.ts";
import { giveUp } from "./expire.ts";

export interface Begun {
  /** The repository's name in the node's file. */
  readonly repo: string;
  readonly kind: BackupKind;
  readonly id: string;
}

interface Note extends Begun {
  readonly host: HostIdentity;
  readonly pid: number;
  readonly startTime: number | undefined;
}

/** Does the work while a note here says who does it. */
export async function noted<T>(dir: string, begun: Begun, work: () => Promise<T>): Promise<T> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, `${begun.id}-${randomBytes(4).toString("hex")}.json`);
  const startTime = readProcess(process.pid)?.startTime;
  const note: Note = { ...begun, host: readHostIdentity(), pid: process.pid, startTime };
  await writeFile(path, `${JSON.stringify(note)}\n`, { flag: "wx", mode: 0o600 });
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** Gives up what dead runners of this host have begun; answers the ids. Whatever is doubtful stays for its day. */
export async function giveUpDead(
  dir: string,
  open: (repo: string) => Repo | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const name of await namesIn(dir)) {
    const path = join(dir, name);
    const note = noteIn((await readFile(path, "utf8").catch(isAbsent)) ?? "");
    if (note === undefined) await removeHalf(path);
    if (note === undefined || !isDead(note)) continue;
    const repo = open(note.repo);
    if (repo === undefined) continue;
    if (await giveUp(repo, note, signal)) ids.push(note.id);
    const left = await repo.list(`${IN_USE_PREFIX}${note.id}/`, signal);
    for (const { key } of left) await repo.remove(key, signal);
    await rm(path, { force: true });
  }
  return ids;
}

const WRITING_MS = 60_000;

/** Its runner was killed before it stored anything, unless it is just writing. */
async function removeHalf(path: string): Promise<void> {
  const seen = await stat(path).catch(isAbsent);
  if (seen !== undefined && Date.now() - seen.mtimeMs > WRITING_MS) await rm(path, { force: true });
}

function noteIn(text: string): Note | undefined {
  try {
    const read: unknown = JSON.parse(text);
    if (!isObject(read) || !isBackupId(read["id"])) return undefined;
    return read as unknown as Note;
  } catch {
    return undefined;
  }
}

/** Nothing of another host, or of namespaces that cannot be looked into, is dead for sure. */
export function isDead(
  { host, pid, startTime }: Pick<Note, "host" | "pid" | "startTime">,
  here: HostIdentity = readHostIdentity(),
  startTimeOf: (pid: number) => number | undefined = livingSince,
): boolean {
  const verdict = judgeHostIdentity(host, here);
  if (verdict === "rebooted") return true;
  return verdict === "same" && startTimeOf(pid) !== startTime;
}

/** A zombie is dead. */
const livingSince = (pid: number): number | undefined => {
  const process = readProcess(pid);
  return process?.state === "Z" ? undefined : process?.startTime;
};
