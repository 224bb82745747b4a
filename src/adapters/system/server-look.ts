// Is the server in this directory down, and if not, what is left of it (R2)?
import { listServerProcesses, type ServerProcess } from "./process-list.ts";
import { attachCount, readPostmasterFile } from "./shared-memory.ts";

export interface ServerLook {
  /** Live server processes, the postmaster first if it lives. */
  readonly processes: readonly ServerProcess[];
  readonly postmaster: ServerProcess | undefined;
  /** Attachments of the shared memory named in postmaster.pid; 0 when none is named or it is gone. */
  readonly attached: number;
  /** The proof of R2: nothing lives, nothing is attached. */
  readonly isDown: boolean;
}

export interface LookOptions {
  readonly dataDir: string;
  readonly procRoot?: string;
  readonly childPid?: number | undefined;
}

/** One look, made now; nothing is remembered from an earlier one (R3). */
export function lookAtServer(options: LookOptions): ServerLook {
  const file = readPostmasterFile(options.dataDir);
  const found = listServerProcesses(options);
  const postmaster = choosePostmaster(found, options.childPid, file?.pid);
  const table = `${options.procRoot ?? "/proc"}/sysvipc/shm`;
  const attached = file?.segment === undefined ? 0 : attachCount(file.segment, table);
  const processes =
    postmaster === undefined ? found : [postmaster, ...found.filter((one) => one !== postmaster)];
  return { processes, postmaster, attached, isDown: found.length === 0 && attached === 0 };
}

/**
 * The postmaster is our own child, else the process named in postmaster.pid, if it is one of this directory's; while
 * that file is not yet written, the parent of all others. A recorded pid that is gone means gone: no orphan is it.
 */
function choosePostmaster(
  processes: readonly ServerProcess[],
  childPid: number | undefined,
  recordedPid: number | undefined,
): ServerProcess | undefined {
  const child = processes.find(({ pid }) => pid === childPid);
  if (child !== undefined) return child;
  const recorded = processes.find(({ pid }) => pid === recordedPid);
  if (recorded !== undefined) return recorded;
  const pids = new Set(processes.map(({ pid }) => pid));
  const roots = processes.filter(({ ppid }) => !pids.has(ppid));
  const isOneTree = roots.length === 1 && processes.length > 1;
  return isOneTree || (processes.length === 1 && recordedPid === undefined) ? roots[0] : undefined;
}

export const isStopped = ({ state }: ServerProcess): boolean => state === "T" || state === "t";
