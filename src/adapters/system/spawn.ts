// One way to run a program to its end: bounded in time and output, as the right user, with everything known after.
import { type ChildProcess, spawn } from "node:child_process";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import type { OsUser } from "./os-user.ts";

export interface RunOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Undefined: no limit but the signal. For work whose length nobody knows, such as a clone. */
  readonly timeoutMs: Ms | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Another user than ourselves (we must be root). */
  readonly user?: OsUser | undefined;
  readonly cwd?: string;
  /** Added to a small clean environment (PATH, HOME, TZ, C messages): the agent's own may hold secrets. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Each of stdout and stderr keeps its last bytes up to this; 1 MB if not said. */
  readonly maxOutputBytes?: number;
  readonly onStdout?: (text: string) => void;
  readonly onStderr?: (text: string) => void;
}

export interface RunResult {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Some output was dropped from the front. */
  readonly isTruncated: boolean;
  readonly tookMs: Ms;
}

const MAX_OUTPUT_BYTES = 1024 * 1024;
/** From SIGTERM to SIGKILL. */
const GRACE_MS: Ms = 1000;

/**
 * Runs it to its end, whatever its exit code. Throws PG_NO_TOOL when it cannot be started, TIMEOUT at the limit,
 * and the signal's reason when aborted; the program and its children are gone by then.
 */
export async function run(options: RunOptions): Promise<RunResult> {
  const { program, timeoutMs, signal } = options;
  const attempt = `running ${program}`;
  signal?.throwIfAborted();
  const begun = performance.now();
  const child = spawn(program, options.args, {
    // A group of its own, so that what it has started ends with it.
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: environmentOf(options),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.user && { uid: options.user.uid, gid: options.user.gid }),
  });
  const stdout = collect(child.stdout, options.maxOutputBytes, options.onStdout);
  const stderr = collect(child.stderr, options.maxOutputBytes, options.onStderr);
  // A program that reads no input closes it: no failure of ours.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");

  let isLate = false;
  const limit =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          isLate = true;
          void stopGroup(child);
        }, timeoutMs);
  const onAbort = (): void => void stopGroup(child);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const end = await ended(child, attempt);
    signal?.throwIfAborted();
    const tail = stderr.text().trim().slice(-500);
    if (isLate) throw new AppError("TIMEOUT", attempt, `limit ${timeoutMs} ms; ${tail}`);
    return {
      ...end,
      stdout: stdout.text(),
      stderr: stderr.text(),
      isTruncated: stdout.isTruncated() || stderr.isTruncated(),
      tookMs: Math.round(performance.now() - begun),
    };
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener("abort", onAbort);
  }
}

function environmentOf({ environment, user }: RunOptions): Record<string, string> {
  const kept = user === undefined ? ["PATH", "HOME", "TZ"] : ["PATH", "TZ"];
  const ours = Object.fromEntries(
    kept.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  return { ...ours, LC_MESSAGES: "C", ...environment };
}

function ended(
  child: ChildProcess,
  attempt: string,
): Promise<{ code: number | undefined; signal: string | undefined }> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      reject(new AppError("PG_NO_TOOL", attempt, error.message, error));
    });
    child.once("close", (code, signal) => {
      resolve({ code: code ?? undefined, signal: signal ?? undefined });
    });
  });
}

async function stopGroup(child: ChildProcess): Promise<void> {
  signalGroup(child, "SIGTERM");
  // Not the child's exit but the end of its output says that nothing of the group is left.
  const isGone = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), GRACE_MS);
    child.once("close", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
  if (!isGone) signalGroup(child, "SIGKILL");
}

function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** Keeps the last bytes: of a failure the end tells most. */
function collect(
  stream: NodeJS.ReadableStream,
  limit = MAX_OUTPUT_BYTES,
  onText?: (text: string) => void,
) {
  const chunks: Buffer[] = [];
  let held = 0;
  let isTruncated = false;
  stream.on("data", (chunk: Buffer) => {
    onText?.(chunk.toString("utf8"));
    chunks.push(chunk);
    held += chunk.length;
    while (held > limit && chunks.length > 1) {
      held -= chunks.shift()?.length ?? 0;
      isTruncated = true;
    }
  });
  return {
    text: () => Buffer.concat(chunks).subarray(-limit).toString("utf8"),
    isTruncated: () => isTruncated || held > limit,
  };
}
