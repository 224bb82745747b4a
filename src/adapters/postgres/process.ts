// Which processes of this server live, and do they take connections?
import { readlinkSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ServerProcess } from "../../model/server.ts";
import { between, type Instant, instant, type Ms } from "../../model/time.ts";
import { readProcess } from "../system/process-list.ts";
import { isStopped, lookAtServer } from "../system/server-look.ts";
import { readPostmasterFile } from "../system/shared-memory.ts";
import type { Place } from "./place.ts";
import { HungProbe } from "./probe.ts";

/** The kernel counts the start of a process in hundredths of a second since boot. */
const TICK_MS = 10;
const STOPPED_MS: Ms = 2000;

type Running = Extract<ServerProcess, { readonly kind: "running" }>;
type Refusal = "starting" | "failing" | undefined;

export interface Postmaster {
  readonly pid: number;
  readonly startTime: number;
  readonly state: string;
}

/**
 * The living postmaster of this directory: the pid in postmaster.pid counts only if that process works in the
 * directory (R3). Reads three small files; the long look through all processes is for when this finds nothing.
 */
export function quickPostmaster(dataDir: string): Postmaster | undefined {
  const file = readPostmasterFile(dataDir);
  const seen = file === undefined ? undefined : readProcess(file.pid);
  if (seen === undefined) return undefined;
  try {
    if (readlinkSync(`/proc/${seen.pid}/cwd`) !== realpathSync(dataDir)) return undefined;
    if (!/^(edb-)?postgres/.test(basename(readlinkSync(`/proc/${seen.pid}/exe`)))) {
      return undefined;
    }
    return seen;
  } catch {
    return undefined;
  }
}

const basename = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

export function findPostmaster(dataDir: string): Postmaster | undefined {
  return quickPostmaster(dataDir) ?? lookAtServer({ dataDir }).postmaster;
}

/** The proof of R2: no process lives, nothing is attached. */
export const isDown = (dataDir: string): boolean => lookAtServer({ dataDir }).isDown;

/** Sends a signal to the postmaster, if it is still the one that was meant. */
export function signalPostmaster(
  { pid, startTime }: Postmaster,
  signal: "SIGINT" | "SIGQUIT" | "SIGHUP",
): boolean {
  if (readProcess(pid)?.startTime !== startTime) return false;
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

export const socketPath = ({ settings }: Place): string =>
  join(settings.postgres.socketDir, `.s.PGSQL.${settings.postgres.port}`);

/** Has the program file been replaced since this process was started from it? */
export function isReplaced(pid: number): boolean {
  try {
    const link = `/proc/${pid}/exe`;
    const path = readlinkSync(link);
    if (path.endsWith(" (deleted)")) return true;
    const [running, installed] = [statSync(link), statSync(path)];
    return running.ino !== installed.ino || running.dev !== installed.dev;
  } catch {
    return false;
  }
}

/** Watches the processes from look to look: a stop counts after two seconds, silence after three probes. */
export class ProcessWatch {
  readonly #place: Place;
  readonly #probe: HungProbe;
  #stoppedSince: Instant | undefined;
  #watched: number | undefined;

  constructor(place: Place) {
    this.#place = place;
    this.#probe = new HungProbe(place.clock);
  }

  /** `refusal` tells what the last attempt to ask was answered. */
  look(refusal: () => Refusal): ServerProcess {
    const { dataDir, fence } = this.#place;
    const quick = quickPostmaster(dataDir);
    if (quick !== undefined) return this.#running(quick, refusal);
    const seen = lookAtServer({ dataDir, childPid: fence.status().serverPid });
    if (seen.postmaster !== undefined) return this.#running(seen.postmaster, refusal);
    if (seen.isDown) return { kind: "down" };
    return { kind: "orphans", count: Math.max(seen.processes.length, seen.attached) };
  }

  /** The same a moment later: who has that pid and that start is the process that has just been recognised. */
  again({ pid, startedAt }: Running, refusal: () => Refusal): ServerProcess {
    const seen = readProcess(pid);
    const isSame = seen !== undefined && instant(seen.startTime * TICK_MS) === startedAt;
    return isSame ? this.#running(seen, refusal) : this.look(refusal);
  }

  #running(postmaster: Postmaster, refusal: () => Refusal): ServerProcess {
    const { pid, startTime } = postmaster;
    if (this.#watched !== startTime) {
      this.#watched = startTime;
      this.#stoppedSince = undefined;
      this.#probe.reset();
    }
    return {
      kind: "running",
      pid,
      accepting: this.#accepting(postmaster, refusal),
      guarded: this.#place.fence.status().serverPid === pid,
      startedAt: instant(startTime * TICK_MS),
    };
  }

  #accepting(postmaster: Postmaster, refusal: () => Refusal) {
    const now = this.#place.clock.now();
    // The state letter is all that isStopped reads.
    if (isStopped({ ...postmaster, ppid: 0, exe: "" })) this.#stoppedSince ??= now;
    else this.#stoppedSince = undefined;
    const since = this.#stoppedSince;
    if (since !== undefined && between(since, now) >= STOPPED_MS) return "stopped";
    if (this.#probe.look(socketPath(this.#place)) === "hung") return "hung";
    return refusal() ?? "yes";
  }
}
