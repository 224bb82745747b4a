// Which processes are there, and is this pid still the process that was meant?
//
// A pid alone proves nothing: it may belong to another program by now. The start time makes it an identity.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ms } from "../model/time.ts";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Clock ticks after boot at which it started: with the pid, an identity. */
  readonly startTime: string;
  /** The kernel's letter: R, S, D, T (stopped), Z (dead, not yet reaped) and so on. */
  readonly state: string;
  readonly name: string;
  readonly args: readonly string[];
  /** Working directory; undefined when it may not be read (another user's process). */
  readonly cwd: string | undefined;
}

/** All living processes. Zombies are dead: nobody should wait for their parents. */
export function processes(): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processOf(Number(name)))
    .filter((found) => found !== undefined);
}

/** One living process, or undefined when there is none with this pid. */
export function processOf(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name stands in brackets and may itself contain brackets and blanks.
    const end = stat.lastIndexOf(")");
    const fields = stat.slice(end + 2).split(" ");
    const [state = "", parent = "0"] = fields;
    if (state === "Z" || state === "X") return undefined;
    return {
      pid,
      parent: Number(parent),
      startTime: fields[19] ?? "",
      state,
      name: stat.slice(stat.indexOf("(") + 1, end),
      args: readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1),
      cwd: linkOf(`/proc/${pid}/cwd`),
    };
  } catch {
    return undefined;
  }
}

interface Usage {
  readonly residentKb: number;
  readonly cpuMs: number;
  /** Of its children that have ended and were waited for. */
  readonly childrenCpuMs: number;
}

/** Memory in use and processor time so far, for measurements. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const ticks = Number(fields[11]) + Number(fields[12]);
    const childrensTicks = Number(fields[13]) + Number(fields[14]);
    return {
      residentKb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0),
      cpuMs: ticks * 10,
      childrenCpuMs: childrensTicks * 10,
    };
  } catch {
    return undefined;
  }
}

/** Sends a signal if this pid still is that process. Answers whether it was sent. */
export function signalProcess(target: Process, signal: NodeJS.Signals): boolean {
  if (processOf(target.pid)?.startTime !== target.startTime) return false;
  try {
    return process.kill(target.pid, signal);
  } catch {
    return false;
  }
}

/**
 * Ends whatever `find` answers with SIGKILL, again and again, until it answers nothing. Answers those
 * that were still there when the time was up (in uninterruptible sleep, for example).
 */
export async function killAll(
  find: () => readonly Process[],
  limitMs: Ms,
): Promise<readonly Process[]> {
  const giveUpAt = performance.now() + limitMs;
  for (;;) {
    const left = find();
    for (const target of left) signalProcess(target, "SIGKILL");
    if (left.length === 0 || performance.now() >= giveUpAt) return left;
    await sleep(10);
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
