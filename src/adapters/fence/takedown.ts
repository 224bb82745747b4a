// How does PostgreSQL end, every last backend of it, and how do we know (R1, R2, R3)?
import { setTimeout as pause } from "node:timers/promises";
import { after, type Instant, type Ms } from "../../model/time.ts";
import type { KillReport } from "../../ports/fence.ts";
import { isKillPending, readProcess, type ServerProcess } from "../system/process-list.ts";
import { isStopped, lookAtServer, type ServerLook } from "../system/server-look.ts";

export interface TakeDownOptions {
  readonly dataDir: string;
  readonly now: () => Instant;
  /** From SIGQUIT to SIGKILL. */
  readonly graceMs: Ms;
  /** When to stop trying and report what remains. */
  readonly timeoutMs: Ms;
  readonly childPid?: (() => number | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The outside, for tests. */
  readonly look?: () => ServerLook;
  readonly send?: (process: ServerProcess, signal: StopSignal) => void;
}

type StopSignal = "SIGINT" | "SIGQUIT" | "SIGKILL";

const POLL_MS: Ms = 10;
/** After a second of trying only a process stuck in the kernel is left: no need to hurry any more. */
const HURRY_MS: Ms = 1000;
const SLOW_POLL_MS: Ms = 100;

/**
 * SIGQUIT to the postmaster, after the grace SIGKILL to it first and then to every process, again and again until
 * nothing lives and nothing is attached. Process groups are of no use: every backend has one of its own.
 */
export async function takeDown(options: TakeDownOptions): Promise<KillReport> {
  const { now, graceMs, timeoutMs, signal } = options;
  const send = options.send ?? sendSignal;
  const look = options.look ?? ((): ServerLook => lookAgain(options));
  const begun = now();
  let seen = look();
  if (canObey(seen.postmaster)) send(seen.postmaster, "SIGQUIT");
  while (!seen.isDown && now() < after(begun, timeoutMs) && !signal?.aborted) {
    if (!canObey(seen.postmaster) || now() >= after(begun, graceMs)) {
      // The list begins with the postmaster, so that it starts no further children.
      for (const process of seen.processes) send(process, "SIGKILL");
    }
    await pause(now() < after(begun, HURRY_MS) ? POLL_MS : SLOW_POLL_MS);
    seen = look();
  }
  return { down: seen.isDown, remaining: Math.max(seen.processes.length, seen.attached) };
}

/**
 * Asks the postmaster for a fast stop and waits for nothing: no write begins any more, and the walsenders bring what was
 * promised to the standbys for as long as they are left alive.
 */
export function askToStop(dataDir: string, childPid: number | undefined): void {
  const { postmaster } = lookAtServer({ dataDir, childPid });
  if (canObey(postmaster)) sendSignal(postmaster, "SIGINT");
}

/** How many of the remaining are dead but for the kernel call they are stuck in: they answer no client. */
export const countStuck = ({ processes }: ServerLook): number =>
  processes.filter(({ pid, state }) => state === "D" && isKillPending(pid)).length;

const lookAgain = ({ dataDir, childPid }: TakeDownOptions): ServerLook =>
  lookAtServer({ dataDir, childPid: childPid?.() });

/** A stopped postmaster keeps SIGQUIT pending for ever while its backends go on acknowledging. */
const canObey = (postmaster: ServerProcess | undefined): postmaster is ServerProcess =>
  postmaster !== undefined && !isStopped(postmaster);

/** Between the look and the signal the pid may have gone to somebody else: start times tell. */
function sendSignal({ pid, startTime }: ServerProcess, signal: StopSignal): void {
  if (readProcess(pid)?.startTime !== startTime) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself, or is not ours to end: the next look shows which.
  }
}
