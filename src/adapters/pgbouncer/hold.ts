// Who has paused this pooler, and until when? Written down before the first PAUSE, for whoever is left to end it.
import { spawn } from "node:child_process";
import { closeSync, openSync, renameSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { AppError } from "../../model/error.ts";
import { between, type Instant } from "../../model/time.ts";
import { asFileError, readIfPresent } from "../system/durable-file.ts";
import { holdFile, releaserLog } from "./layout.ts";

export interface HoldRecord {
  /** Names this pause: a later one has another. */
  readonly id: string;
  /** The agent that paused. */
  readonly ownerPid: number;
  /** On this host's boot clock. PgBouncer does not outlive a boot. */
  readonly until: Instant;
  readonly port: number;
  /** One for each process. */
  readonly socketDirs: readonly string[];
  readonly databases: readonly string[];
}

/**
 * Whole or not at all, but not forced to the disk: PgBouncer dies with the boot, and clients are about to wait. In one go,
 * which takes a tenth of the time: each millisecond before a pause fails clients of a primary that has died.
 */
export function writeHold(dir: string, record: HoldRecord): void {
  const next = `${holdFile(dir)}.new`;
  try {
    writeFileSync(next, JSON.stringify(record), { mode: 0o600 });
    renameSync(next, holdFile(dir));
  } catch (error) {
    throw asFileError(error, `writing ${holdFile(dir)}`);
  }
}

export const removeHold = (dir: string): Promise<void> => rm(holdFile(dir), { force: true });

/** Undefined when nobody has paused, or when the file says nothing that could be read. */
export async function readHold(dir: string): Promise<HoldRecord | undefined> {
  const text = await readIfPresent(holdFile(dir));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as HoldRecord;
  } catch {
    return undefined;
  }
}

export const isOver = ({ until }: HoldRecord, now: Instant): boolean => between(now, until) <= 0;

/** How the program that ends a pause is started. */
export interface ReleaserProgram {
  readonly nodePath: string;
  readonly path: string;
}

/** Small: it waits, says one word and leaves. Not without a compiler, which the driver's HTTP parts ask for. */
const NODE_FLAGS = ["--max-old-space-size=24", "--single-threaded", "--no-warnings"];

/**
 * Starts the process that ends the pause at its deadline if nobody has by then: in a session of its own, so a killed agent
 * cannot leave clients waiting for ever.
 */
export function launchReleaser(program: ReleaserProgram, dir: string): ReleaserHandle {
  // Empty unless something went wrong, so it needs no turning over.
  const log = openSync(releaserLog(dir), "w", 0o600);
  const child = spawn(program.nodePath, [...NODE_FLAGS, program.path, dir], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
    env: { PATH: process.env["PATH"] ?? "" },
  });
  closeSync(log);
  child.once("error", () => undefined);
  child.unref();
  if (child.pid === undefined) {
    throw new AppError("PGBOUNCER_FAILED", "pausing", `${program.nodePath} does not start`);
  }
  stepBack(child.pid);
  return {
    isAlive: () => child.exitCode === null && child.signalCode === null,
    dismiss: () => void child.kill("SIGTERM"),
  };
}

/** Its work is seconds away, and what it needs to start is what the change of roles needs just now. */
function stepBack(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already: whoever looks after the pause sees that.
  }
}

export interface ReleaserHandle {
  isAlive(): boolean;
  /** The pause has ended: it need not wait for the deadline. */
  dismiss(): void;
}
