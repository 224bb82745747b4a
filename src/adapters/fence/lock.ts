// Only one fence for a data directory: the lock names a living process, the socket answers from any namespace.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Ms } from "../../model/time.ts";
import { readProcess } from "../system/process-list.ts";
import { LOCK_NAME, withSocketPath } from "./protocol.ts";

/** A fence that was just killed is still listed for a moment. */
const TRIES = 50;
const TRY_EVERY_MS: Ms = 40;

export interface LockHolder {
  readonly pid: number;
  readonly startTime: number;
}

/** The living holder of the lock in this directory. */
export function readLockHolder(stateDir: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(readFileSync(join(stateDir, LOCK_NAME), "utf8")) as LockHolder;
    return readProcess(holder.pid)?.startTime === holder.startTime ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** True when the lock is ours from now on; false when another fence lives. */
export async function takeLock(stateDir: string): Promise<boolean> {
  const mine = join(stateDir, `${LOCK_NAME}.${process.pid}`);
  const startTime = readProcess(process.pid)?.startTime ?? 0;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, startTime } satisfies LockHolder));
  try {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const isFree = readLockHolder(stateDir) === undefined && !(await isAnswered(stateDir));
      if (isFree && claim(stateDir, mine)) return true;
      await pause(TRY_EVERY_MS);
    }
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

export function dropLock(stateDir: string): void {
  if (readLockHolder(stateDir)?.pid === process.pid) rmSync(join(stateDir, LOCK_NAME));
}

/** A link appears whole or not at all. A dead holder's is moved aside first, never removed unseen. */
function claim(stateDir: string, mine: string): boolean {
  const lock = join(stateDir, LOCK_NAME);
  const aside = `${mine}.old`;
  try {
    linkSync(mine, lock);
    return true;
  } catch {
    // Somebody's lock is there: below it is judged once more, by what was really moved.
  }
  try {
    renameSync(lock, aside);
    const moved = JSON.parse(readFileSync(aside, "utf8")) as LockHolder;
    // Another starter was faster between our look and our move: it gets its lock back.
    if (readProcess(moved.pid)?.startTime === moved.startTime) linkSync(aside, lock);
  } catch {
    // It vanished or cannot be read: the next try sees what is there.
  } finally {
    rmSync(aside, { force: true });
  }
  return false;
}

/** A socket file answers across pid and network namespaces, where the pid of a lock says nothing. */
function isAnswered(stateDir: string): Promise<boolean> {
  return withSocketPath(
    stateDir,
    (path) =>
      new Promise((resolve) => {
        const socket = connect(path);
        socket.once("connect", () => {
          socket.destroy();
          resolve(true);
        });
        socket.once("error", () => resolve(false));
      }),
  );
}
