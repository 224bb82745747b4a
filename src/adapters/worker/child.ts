// How is a worker run? One order in, lines of progress out, one result; it ends with us.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { AppError } from "../../model/error.ts";
import { asThrown, type Progress, parseWorkerLine, type WorkerOrder } from "../../model/worker.ts";
import type { OsUser } from "../system/os-user.ts";

export interface WorkerRun {
  /** Path of `worker.mjs`. */
  readonly program: string;
  readonly order: WorkerOrder;
  /** Another user than ourselves (we must be root). */
  readonly user: OsUser | undefined;
  readonly onProgress: (progress: Progress) => void;
}

/** From asking it to end to ending it. */
const GRACE_MS = 5_000;
const LAST_WORDS = 2_000;

/** The result of the task. Throws what the worker failed with, or the signal's reason; the worker is gone by then. */
export async function runWorker(run: WorkerRun, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [run.program], {
    stdio: ["pipe", "pipe", "pipe"],
    ...(run.user && { uid: run.user.uid, gid: run.user.gid }),
  });
  const words = lastWords(child);
  child.stdin.on("error", () => undefined);
  // Its input stays open: when we are gone it ends, and so does the worker.
  child.stdin.write(`${JSON.stringify(run.order)}\n`);
  let killing: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill("SIGTERM");
    killing = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await resultOf(child, run, words);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(killing);
    child.stdin.destroy();
  }
}

async function resultOf(
  child: ChildProcess,
  { order, onProgress }: WorkerRun,
  words: () => string,
): Promise<unknown> {
  const ended = endOf(child, order.task);
  const outcome: { settled?: () => unknown } = {};
  if (child.stdout === null) throw new Error("a worker without output");
  for await (const text of createInterface({ input: child.stdout })) {
    const line = parseWorkerLine(text);
    if (line?.kind === "progress") onProgress(line.progress);
    if (line?.kind === "done") outcome.settled = () => line.result;
    if (line?.kind === "failed")
      outcome.settled = () => {
        throw asThrown(line.failure);
      };
  }
  const how = await ended;
  if (outcome.settled !== undefined) return outcome.settled();
  throw new AppError(
    "NOT_POSSIBLE",
    `running ${order.task}`,
    `the worker ended (${how}); ${words()}`,
  );
}

function endOf(child: ChildProcess, task: string): Promise<string> {
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", (error) =>
      reject(new AppError("NOT_POSSIBLE", `starting a worker for ${task}`, error.message, error)),
    );
    child.once("close", (code, name) => resolve(name ?? `exit code ${code}`));
  });
  ended.catch(() => undefined);
  return ended;
}

function lastWords(child: ChildProcess): () => string {
  let words = "";
  child.stderr?.on("data", (text: Buffer) => {
    words = `${words}${text.toString("utf8")}`.slice(-LAST_WORDS);
  });
  return () => words.trim();
}
