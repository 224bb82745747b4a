// The worker's program: one order, its task, one result. For what is too heavy or too long for an agent.

import { setMaxListeners } from "node:events";
import { createInterface } from "node:readline";
import { aroundHere } from "../adapters/system/node-file.ts";
import { AppError, asAppError } from "../model/error.ts";
import { printFinding } from "../model/finding.ts";
import type { NodeSettings } from "../model/settings.ts";
import { parseNodeFile } from "../model/settings-file.ts";
import { failureIn, type Progress, type WorkerLine, type WorkerOrder } from "../model/worker.ts";
import { runTask } from "./tasks.ts";

const tell = (line: WorkerLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

/** A step is told at once, how far it is a few times a second. */
function teller(): (now: Progress) => void {
  const told = { step: "", at: 0 };
  return (now) => {
    if (now.step === told.step && Date.now() - told.at < PROGRESS_EVERY_MS) return;
    Object.assign(told, { step: now.step, at: Date.now() });
    tell({ kind: "progress", progress: now });
  };
}

const PROGRESS_EVERY_MS = 250;

/** Whoever has started us tells us to stop, or is gone. */
function stopSignal(): AbortController {
  const stop = new AbortController();
  // Several objects are on their way at once, and each part of each way listens.
  setMaxListeners(100, stop.signal);
  const cancel = (why: string) => () =>
    stop.abort(new AppError("CANCELLED", "running a worker", why));
  process.on("SIGTERM", cancel("it was told to stop"));
  process.on("SIGINT", cancel("it was told to stop"));
  process.stdin.on("end", cancel("who asked for it is gone"));
  process.stdin.on("close", cancel("who asked for it is gone"));
  return stop;
}

async function readOrder(): Promise<WorkerOrder> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) return JSON.parse(line) as WorkerOrder;
  throw new AppError("NOT_POSSIBLE", "running a worker", "no order came");
}

function settingsOf({ file, text }: WorkerOrder): NodeSettings {
  const parsed = parseNodeFile(text, file, aroundHere(file));
  if (parsed.kind === "settings") return parsed.settings;
  const why =
    parsed.kind === "refused"
      ? parsed.problems.map(printFinding).join("; ")
      : "the file of a router has no backups";
  throw new AppError("CONFIG_INVALID", `reading ${file}`, why);
}

async function main(): Promise<void> {
  try {
    const order = await readOrder();
    const { signal } = stopSignal();
    process.stdin.resume();
    const settings = settingsOf(order);
    const progress = teller();
    const result = await runTask(order, { settings, cluster: order.cluster, progress, signal });
    tell({ kind: "done", result });
  } catch (error) {
    tell({
      kind: "failed",
      failure: failureIn(asAppError(error, "NOT_POSSIBLE", "running a worker")),
    });
    process.exitCode = 1;
  }
}

await main();
// What still hangs on a dead store must not keep a finished worker alive.
process.exit();
