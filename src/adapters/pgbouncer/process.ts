// How does one PgBouncer start, how is it found again, and how does it end? It outlives the agent, so it is found, not
// remembered.
import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  fchownSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import { Console, type ConsolePlace } from "./console.ts";
import type { Program } from "./program.ts";

const START_LIMIT_MS: Ms = 10_000;
const LOGIN_LIMIT_MS: Ms = 1000;
const POLL_MS: Ms = 20;
const LOG_LIMIT_BYTES = 10 * 1024 * 1024;
const SHOWN_WORDS = 400;

export interface Launch {
  readonly program: Program;
  /** The file with its settings. */
  readonly settings: string;
  /** Its own messages; turned over once when the file has grown. */
  readonly log: string;
  readonly console: ConsolePlace;
  /** It says on stderr too what it writes into its log: so early a failure is said nowhere else. */
  readonly isTrial?: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Starts it and waits until its console answers. Throws PGBOUNCER_FAILED with its last words. */
export async function launch(l: Launch): Promise<ChildProcess> {
  const log = openLog(l.log, l.program);
  const before = statSync(l.log).size;
  try {
    const child = spawn(l.program.path, [...(l.isTrial ? [] : ["-q"]), l.settings], {
      // In a session of its own, so that whatever ends the agent's group spares it.
      detached: true,
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "" },
      stdio: ["ignore", log, log],
      ...(l.program.user && { uid: l.program.user.uid, gid: l.program.user.gid }),
    });
    child.once("error", () => undefined);
    child.unref();
    if (await answers(child, l)) return child;
    l.signal.throwIfAborted();
    child.kill("SIGKILL");
    const words = readFileSync(l.log).subarray(before).toString("utf8").trim();
    throw new AppError("PGBOUNCER_FAILED", "starting PgBouncer", lastWords(words));
  } finally {
    closeSync(log);
  }
}

async function answers(child: ChildProcess, { console, clock, signal }: Launch): Promise<boolean> {
  const hasEnded = (): boolean =>
    child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  using limit = clock.deadline(START_LIMIT_MS, signal);
  while (!hasEnded() && !limit.signal.aborted) {
    using login = clock.deadline(LOGIN_LIMIT_MS, limit.signal);
    const opened = await Console.open(console, login.signal).catch(() => undefined);
    if (opened !== undefined) {
      opened.destroy();
      return true;
    }
    await clock.sleep(POLL_MS);
  }
  return false;
}

/** Of what it wrote the lines that say what is wrong, without their times. */
function lastWords(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/^[\d-]+ [\d:.]+ \w+ \[\d+\] /, ""));
  const bad = lines.filter((line) => /^(?:ERROR|FATAL)/.test(line));
  return [...new Set(bad.length > 0 ? bad : lines)].join("; ").slice(-SHOWN_WORDS);
}

/** The living process that was started with this file of settings; `last` is where to look first. */
export function processOf(settings: string, last?: number): number | undefined {
  if (last !== undefined && settingsOf(last) === settings) return last;
  return allProcesses().find((pid) => settingsOf(pid) === settings);
}

/** The files of settings in this folder that living processes were started with. */
export const runningIn = (dir: string): readonly string[] =>
  allProcesses().flatMap((pid) => {
    const settings = settingsOf(pid);
    return settings !== undefined && dirname(settings) === dir ? [settings] : [];
  });

const allProcesses = (): readonly number[] =>
  readdirSync("/proc").map(Number).filter(Number.isInteger);

/** The file that a PgBouncer was started with; undefined for any other process. */
function settingsOf(pid: number): string | undefined {
  try {
    // A zombie has no arguments any more.
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    if (!basename(args[0] ?? "").includes("pgbouncer")) return undefined;
    return args.find((arg) => arg.endsWith(".ini"));
  } catch {
    return undefined;
  }
}

/** Ends it with all its clients, and waits until it is gone. */
export async function endProcess(settings: string, signal: NodeJS.Signals, clock: Clock) {
  const pid = processOf(settings);
  if (pid === undefined) return;
  signalTo(pid, signal);
  using limit = clock.deadline(LOGIN_LIMIT_MS);
  while (processOf(settings) === pid && !limit.signal.aborted) await clock.sleep(POLL_MS);
  if (processOf(settings) === pid) signalTo(pid, "SIGKILL");
}

export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function openLog(path: string, { user }: Program): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`);
  const file = openSync(path, "a", 0o640);
  if (user !== undefined) fchownSync(file, user.uid, user.gid);
  return file;
}
