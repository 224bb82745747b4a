// How does HAProxy start, give its place to a successor, and end? It outlives the agent, so it is found, not remembered.
import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Program } from "./program.ts";
import { configFile, socketFile } from "./render.ts";
import { openRuntime } from "./runtime.ts";
import { infoOf } from "./state.ts";

const START_LIMIT_MS: Ms = 10_000;
const POLL_MS: Ms = 20;
const ASK_LIMIT_MS: Ms = 1000;
const LOG_LIMIT_BYTES = 10 * 1024 * 1024;
const SHOWN_WORDS = 600;

/** Its own messages: servers that go up and down, and why it did not start. */
export const logFile = (dir: string): string => join(dir, "haproxy.log");

export interface Launch {
  readonly program: Program;
  readonly dir: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The process whose listening sockets are taken over; it serves its sessions to their end. */
  readonly successorOf?: number;
}

/** Starts it and waits until it answers on its socket; answers its pid. Throws HAPROXY_FAILED with its last words. */
export async function launch(l: Launch): Promise<number> {
  const { program, dir, clock, signal, successorOf } = l;
  const log = openLog(logFile(dir));
  const before = statSync(logFile(dir)).size;
  const takeOver =
    successorOf === undefined ? [] : ["-x", socketFile(dir), "-sf", String(successorOf)];
  try {
    const child = spawn(program.path, ["-db", "-f", configFile(dir), ...takeOver], {
      // In a session of its own, so that whatever ends the agent's group spares it.
      detached: true,
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "" },
      stdio: ["ignore", log, log],
    });
    let hasEnded = false;
    child.once("exit", () => (hasEnded = true));
    child.once("error", () => (hasEnded = true));
    child.unref();
    using limit = clock.deadline(START_LIMIT_MS, signal);
    while (!hasEnded && !limit.signal.aborted) {
      const found = await answeringAt(dir);
      if (found.kind === "answers" && found.pid === child.pid) return child.pid;
      await clock.sleep(POLL_MS);
    }
    signal.throwIfAborted();
    if (child.pid !== undefined && !hasEnded) signalTo(child.pid, "SIGKILL");
    const words = readFileSync(logFile(dir)).subarray(before).toString("utf8").trim();
    throw new AppError("HAPROXY_FAILED", "starting HAProxy", words.slice(-SHOWN_WORDS));
  } finally {
    closeSync(log);
  }
}

/** The process that listens on the socket, or that nobody does, or that it says nothing. */
export type Answering =
  | { readonly kind: "answers"; readonly pid: number; readonly fingerprint: string }
  | { readonly kind: "nobody" }
  | { readonly kind: "silent" };

export async function answeringAt(dir: string): Promise<Answering> {
  try {
    const runtime = await openRuntime(socketFile(dir), ASK_LIMIT_MS);
    if (runtime === undefined) return { kind: "nobody" };
    try {
      const info = await runtime.ask("show info");
      return {
        kind: "answers",
        pid: Number(infoOf(info, "Pid")),
        fingerprint: infoOf(info, "node"),
      };
    } finally {
      runtime.close();
    }
  } catch {
    return { kind: "silent" };
  }
}

/** Every living process that runs with our configuration: the one that listens, and older ones with sessions left. */
export function livePids(dir: string): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isOurs(pid, configFile(dir)));
}

function isOurs(pid: number, config: string): boolean {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    // A zombie has no arguments any more.
    return basename(args[0] ?? "").includes("haproxy") && args.includes(config);
  } catch {
    return false;
  }
}

/** Ends these processes with everything that they serve, and waits until they are gone. */
export async function endAll(pids: readonly number[], dir: string, clock: Clock): Promise<void> {
  for (const pid of pids) signalTo(pid, "SIGTERM");
  const areLeft = (): boolean => livePids(dir).some((pid) => pids.includes(pid));
  using limit = clock.deadline(ASK_LIMIT_MS);
  while (areLeft() && !limit.signal.aborted) await clock.sleep(POLL_MS);
  if (areLeft()) for (const pid of pids) signalTo(pid, "SIGKILL");
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** Turned over once when it has grown; a busy cluster writes a few lines an hour. */
function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, "a", 0o640);
}
