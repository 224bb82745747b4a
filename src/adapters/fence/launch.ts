// How is a fence process started, and how is one that no longer answers removed?
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import type { OsUser } from "../system/os-user.ts";
import { readLockHolder } from "./lock.ts";
import { FENCE_LOG_NAME } from "./protocol.ts";
import type { WatchdogOptions } from "./watchdog.ts";

/** Everything that a fence needs to know from its first moment; one argument, as JSON. */
export interface FenceArguments {
  readonly stateDir: string;
  readonly dataDir: string;
  /** Whom the server runs as; absent when the fence is not root and can only be itself. */
  readonly user?: OsUser;
  readonly watchdog?: WatchdogOptions;
  /** How long it stays with nothing to guard and nobody to serve. */
  readonly idleExitMs: Ms;
}

export interface FenceProgram {
  readonly nodePath: string;
  readonly path: string;
}

/**
 * A small heap, and no compiler: what the optimiser touches of itself would cost 4 MB, and there is nothing to optimise.
 */
const NODE_FLAGS = [
  "--max-semi-space-size=1",
  "--max-old-space-size=24",
  "--jitless",
  "--single-threaded",
  "--no-warnings",
];

const LOG_LIMIT_BYTES = 1024 * 1024;

/** Starts it in a session of its own, so that whatever ends the agent's group spares it. Returns its pid. */
export function launchFence(program: FenceProgram, args: FenceArguments): number {
  mkdirSync(args.stateDir, { recursive: true, mode: 0o700 });
  const log = openLog(join(args.stateDir, FENCE_LOG_NAME));
  try {
    const child = spawn(
      program.nodePath,
      [...NODE_FLAGS, program.path, JSON.stringify(args)],
      // The agent's environment may carry NODE_OPTIONS and secrets: neither is the fence's business.
      { detached: true, stdio: ["ignore", log, log], env: quietEnvironment(), cwd: "/" },
    );
    // A program that cannot be started shows as a fence that never answers; its reason is in the log below.
    child.once("error", () => undefined);
    child.unref();
    if (child.pid === undefined) {
      throw new AppError("FENCE_LOST", "starting the fence", `${program.nodePath} does not start`);
    }
    return child.pid;
  } finally {
    closeSync(log);
  }
}

/** A fence says a line or two in its life: the file grows by restarts only, and is turned over once. */
function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, "a", 0o600);
}

function quietEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "LANG", "TZ"];
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Ends a fence that does not answer. Its server goes down with it, by the parent-death signal (R4). */
export function removeFence(stateDir: string): void {
  const holder = readLockHolder(stateDir);
  if (holder !== undefined) process.kill(holder.pid, "SIGKILL");
}
