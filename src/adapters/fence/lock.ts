// Only one fence for a data directory: the lock names a living process, the socket answers from any namespace.
import { readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Ms } from "../../model/time.ts";
import { readProcess } from "../system/process-list.ts";
import { LOCK_NAME, withSocketPath } from "./protocol.ts";

/** A fence that was just killed is still listed for a moment, and one that starts does not listen yet. */
const TRIES = 50;
const TRY_EVERY_MS: Ms = 40;

export interface LockHolder {
  readonly pid: number;
  readonly startTime: number;
}

/** The living holder of the lock in this directory. */
export const readLockHolder = (stateDir: string): LockHolder | undefined =>
  readHolder(join(stateDir, LOCK_NAME));

/** True when the lock is ours from now on; false when another fence lives. */
export async function takeLock(stateDir: string): Promise<boolean> {
  const startTime = readProcess(process.pid)?.startTime ?? 0;
  const mine = `${process.pid}:${startTime}`;
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (await isAnswered(stateDir)) return false;
    if (readLockHolder(stateDir) === undefined && claim(stateDir, mine)) return true;
    await pause(TRY_EVERY_MS);
  }
  return false;
}

export function dropLock(stateDir: string): void {
  if (readLockHolder(stateDir)?.pid === process.pid) rmSync(join(stateDir, LOCK_NAME));
}

/**
 * A symbolic link appears whole or not at all, and its text needs no room on a full disk. A dead holder's is moved
 * aside first, never removed unseen.
 */
function claim(stateDir: string, mine: string): boolean {
  const lock = join(stateDir, LOCK_NAME);
  const aside = `${lock}.${process.pid}`;
  if (tryTo(() => symlinkSync(mine, lock))) return true;
  if (!tryTo(() => renameSync(lock, aside))) return false;
  // Another starter was faster between our look and our move: it gets its lock back.
  if (readHolder(aside) !== undefined) tryTo(() => symlinkSync(readlinkSync(aside), lock));
  rmSync(aside, { force: true });
  return false;
}

function readHolder(path: string): LockHolder | undefined {
  try {
    const [pid, startTime] = readlinkSync(path).split(":").map(Number);
    if (pid === undefined || startTime === undefined) return undefined;
    return readProcess(pid)?.startTime === startTime ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}

function tryTo(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
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
