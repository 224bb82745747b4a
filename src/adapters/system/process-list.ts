// Which processes serve a data directory at this moment (R2, R3)?
//
// They are found by working directory and executable, never by a remembered pid: backends are sessions of their
// own, orphans have strange parents, pids are used again. A zombie is dead.
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";

export interface ServerProcess {
  readonly pid: number;
  readonly ppid: number;
  /** Clock ticks since boot: with the pid it names a process for good. */
  readonly startTime: number;
  /** The kernel's letter: R, S, D (cannot be interrupted), T and t (stopped). */
  readonly state: string;
  readonly exe: string;
}

export interface ProcessListOptions {
  readonly dataDir: string;
  readonly procRoot?: string;
  /** A child that may not yet have become the server program; counted whatever it runs. */
  readonly childPid?: number | undefined;
}

// tidy-allow: the program's own name in older packages
const SERVER_PROGRAM = /^(?:edb-)?post(?:gres|master)(?: \(deleted\))?$/;

/** A directory as the kernel knows it: its name, and its number in case it was renamed. */
interface Place {
  readonly path: string;
  readonly number: string | undefined;
}

/** The live processes of the server in `dataDir`, those of an operator's shell in there excluded. */
export function listServerProcesses(options: ProcessListOptions): readonly ServerProcess[] {
  const root = options.procRoot ?? "/proc";
  const place = placeOf(options.dataDir);
  const unreadable: number[] = [];
  const found: ServerProcess[] = [];
  for (const name of readdirSync(root)) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const seen = look(root, place, { pid, isChild: options.childPid === pid });
    if (seen === "unreadable") unreadable.push(pid);
    else if (seen !== undefined) found.push(seen);
  }
  if (unreadable.length === 0) return found;
  return [...found, ...lookAsOwner(root, place, unreadable)];
}

/** The process of that pid, if it is alive. */
export function readProcess(pid: number, root = "/proc"): Omit<ServerProcess, "exe"> | undefined {
  try {
    const seen = parseStat(readFileSync(join(root, String(pid), "stat"), "latin1"));
    return seen === undefined || isDead(seen.state) ? undefined : seen;
  } catch {
    return undefined;
  }
}

/** Is SIGKILL already waiting for this process to leave an uninterruptible sleep? */
export function isKillPending(pid: number, root = "/proc"): boolean {
  try {
    const status = readFileSync(join(root, String(pid), "status"), "latin1");
    const sets = [...status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)];
    return sets.some(([, bits]) => (BigInt(`0x${bits}`) & (1n << 8n)) !== 0n);
  } catch {
    return false;
  }
}

/** The name of the program may hold spaces and parentheses: the fields begin after the last one. */
export function parseStat(text: string): Omit<ServerProcess, "exe"> | undefined {
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, ppid] = fields;
  const startTime = Number(fields[19]);
  if (!Number.isInteger(pid) || state === undefined || Number.isNaN(startTime)) return undefined;
  return { pid, ppid: Number(ppid), startTime, state };
}

const isDead = (state: string): boolean => state === "Z" || state === "X" || state === "x";

interface Suspect {
  readonly pid: number;
  readonly isChild: boolean;
}

function look(
  root: string,
  place: Place,
  { pid, isChild }: Suspect,
): ServerProcess | "unreadable" | undefined {
  const here = join(root, String(pid));
  try {
    if (!isChild && !isIn(join(here, "cwd"), place)) return undefined;
    const exe = readlinkSync(join(here, "exe"));
    if (!isChild && !SERVER_PROGRAM.test(basename(exe))) return undefined;
    return alive(root, pid, exe);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code !== "EACCES" && code !== "EPERM") return undefined;
    // A child between two identities shows itself to nobody; it counts all the same.
    return isChild ? alive(root, pid, "") : "unreadable";
  }
}

function alive(root: string, pid: number, exe: string): ServerProcess | undefined {
  const seen = readProcess(pid, root);
  return seen === undefined ? undefined : { ...seen, exe };
}

/** By name first, which is cheap; by number for a directory that was renamed or mounted twice. */
function isIn(link: string, place: Place): boolean {
  const path = readlinkSync(link);
  if (path === place.path || path === `${place.path} (deleted)`) return true;
  return place.number !== undefined && numberOf(link) === place.number;
}

function placeOf(dataDir: string): Place {
  try {
    const path = realpathSync(dataDir);
    return { path, number: numberOf(path) };
  } catch {
    return { path: dataDir, number: undefined };
  }
}

function numberOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}

/**
 * Root without CAP_SYS_PTRACE (a plain container) may not look at others' processes; their owner may. Both ids of the
 * process count, and they are those of its folder.
 */
function lookAsOwner(
  root: string,
  place: Place,
  pids: readonly number[],
): readonly ServerProcess[] {
  const owner = ownerOf(place.path)?.uid;
  if (process.geteuid?.() !== 0 || owner === undefined || owner === 0) return [];
  const byGroup = new Map<number, number[]>();
  for (const pid of pids) {
    const ids = ownerOf(join(root, String(pid)));
    if (ids?.uid === owner) byGroup.set(ids.gid, [...(byGroup.get(ids.gid) ?? []), pid]);
  }
  return [...byGroup].flatMap(([gid, members]) =>
    actingAs(owner, gid, () =>
      members.flatMap((pid) => {
        const seen = look(root, place, { pid, isChild: false });
        return seen === undefined || seen === "unreadable" ? [] : [seen];
      }),
    ),
  );
}

function actingAs<T>(uid: number, gid: number, act: () => T): T {
  const own = process.getegid?.() ?? 0;
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(own);
  }
}

function ownerOf(path: string): { readonly uid: number; readonly gid: number } | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
