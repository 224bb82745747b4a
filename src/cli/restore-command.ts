// From a backup to a data directory, on this machine: needs the repository and this program, and no cluster.

import { spawn } from "node:child_process";
import { isAbsolute, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { readNodeText } from "../adapters/system/node-file.ts";
import { printBytes, printSpan } from "../model/amounts.ts";
import type { RestorePreview, RestoreWish, WorkAnswer } from "../model/backup-words.ts";
import { AppError } from "../model/error.ts";
import { asThrown, parseWorkerLine, type WorkerLine, type WorkerOrder } from "../model/worker.ts";
import { bundle } from "./agent-command.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { createProgressView } from "./jobs.ts";
import { type TargetFlags, targetIn, withTargetFlags } from "./restore-target-flags.ts";
import type { Shared } from "./shared.ts";
import { findTarget } from "./target.ts";
import { agree, print, printJsonText, say } from "./terminal.ts";

interface RestoreFlags extends Shared, TargetFlags {
  readonly targetDir: string;
  readonly backup?: string;
  readonly repo?: string;
  readonly tablespace: readonly string[];
  readonly identity?: string;
  readonly action: string;
  readonly timeline?: string;
  readonly system?: string;
  readonly preview?: boolean;
}

const ACTIONS = ["promote", "pause", "shutdown"] as const;

async function restore(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<RestoreFlags>();
  const { configFile } = findTarget(flags.config);
  const wish = wishOf(flags);
  using next = nextWorker(flags.preview !== true);
  const seen = await runWorker(startWorker(), configFile, { ...wish, isPreview: true });
  if (flags.json !== true) for (const line of linesOf(seen)) say(line);
  if (flags.preview === true) {
    if (flags.json === true) printJsonText(seen);
    return;
  }
  await agree(`Restore to ${wish.targetDir}?`, flags.yes === true);
  const done = await runWorker(next.take(), configFile, wish);
  if (flags.json === true) return printJsonText(done);
  print(`restored to ${done.targetDir}: recovery begins when PostgreSQL is started on it`);
  print(
    `  start it apart from the cluster: pg_ctl -D ${done.targetDir} -o "-p 5433 -k /tmp" start`,
  );
}

function wishOf(flags: RestoreFlags): RestoreWish {
  const action = ACTIONS.find((name) => name === flags.action);
  if (action === undefined) {
    throw new CliFailure(EXIT.usage, `--action is ${flags.action}`, `say ${ACTIONS.join(", ")}`);
  }
  return {
    targetDir: resolve(flags.targetDir),
    to: targetIn(flags),
    tablespaces: Object.fromEntries(flags.tablespace.map(placeIn)),
    action,
    isPreview: false,
    ...(flags.backup === undefined ? {} : { id: flags.backup }),
    ...(flags.repo === undefined ? {} : { repo: flags.repo }),
    ...(flags.system === undefined ? {} : { systemId: flags.system }),
    ...(flags.timeline === undefined ? {} : { timeline: timelineOf(flags.timeline) }),
    ...(flags.identity === undefined ? {} : { identityFile: resolve(flags.identity) }),
  };
}

function timelineOf(text: string): number {
  const timeline = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isNaN(timeline)) return timeline;
  throw new CliFailure(EXIT.usage, `--timeline is ${text}`, "say its number, as in backup show");
}

/** `OLD=NEW`: a tablespace's oid or old directory, and the new one. */
function placeIn(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  const [old, place] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && isAbsolute(place)) return [old, place];
  const why = `--tablespace is ${text}`;
  throw new CliFailure(EXIT.usage, why, "say OLD=NEW: its oid or old directory, and a whole path");
}

const linesOf = (preview: RestorePreview): readonly string[] => {
  const { backup, freeBytes } = preview;
  const room = freeBytes === undefined ? "" : `, ${printBytes(freeBytes)} are free`;
  return [
    `backup    ${backup.id} (${backup.startedAt}, PostgreSQL ${backup.version})`,
    `target    ${preview.target}, timeline ${preview.timeline}`,
    `WAL       ${walText(preview)}`,
    `to        ${preview.targetDir}`,
    `needs     ${printBytes(preview.neededBytes)}${room}`,
    `takes     about ${printSpan(preview.estimateMs)} and the replay of the WAL`,
    `lost      ${preview.lost}`,
    `proven    ${provenText(preview)}`,
  ];
};

function provenText({ drill, backup: { verified } }: RestorePreview): string {
  const ago = (ms: number): string => `${printSpan(Math.max(0, Date.now() - ms))} ago`;
  if (drill?.outcome === "passed") return `restored by the drill ${drill.id}, ${ago(drill.atMs)}`;
  if (drill !== undefined) return `NOT: the drill ${drill.id} failed, ${ago(drill.atMs)}`;
  if (verified?.outcome === "passed")
    return `read back ${ago(verified.atMs)}, and not restored yet`;
  return "only compared while it was taken: understudy drill run";
}

const walText = ({ walSegments, walEndLsn }: RestorePreview): string => {
  const reach = walEndLsn === undefined ? "" : `; without a hole it reaches ${walEndLsn}`;
  if (walSegments === 0) return `what the backup has itself${reach}`;
  return `${walSegments} segments, all of them there${reach}`;
};

type Worker = ReturnType<typeof startWorker>;

const startWorker = () =>
  spawn(process.execPath, [bundle("worker")], { stdio: ["pipe", "pipe", "inherit"] });

/** Starts while the preview is made and read; without an order it ends with its input. */
function nextWorker(isWanted: boolean): Disposable & { take(): Worker } {
  let waiting = isWanted ? startWorker() : undefined;
  return {
    take() {
      const taken = waiting ?? startWorker();
      waiting = undefined;
      return taken;
    },
    [Symbol.dispose]: () => void waiting?.kill("SIGKILL"),
  };
}

/** Has a worker do it, and shows how far it is. If it is interrupted, the same command goes on. */
async function runWorker(child: Worker, file: string, wish: RestoreWish): Promise<RestorePreview> {
  const order: WorkerOrder = {
    task: "restore",
    input: { ...wish },
    file,
    text: readNodeText(file),
    cluster: {},
  };
  // Its input stays open: when we are gone it ends, and so does the worker.
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const interrupt = (): void => void child.kill("SIGTERM");
  process.on("SIGINT", interrupt);
  const closed = new Promise((settled, fail) => {
    child.once("error", fail);
    child.once("close", settled);
  });
  const show = createProgressView();
  let end: WorkerLine | undefined;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = parseWorkerLine(text);
    if (line?.kind === "progress") show(line.progress);
    else end = line ?? end;
  }
  await closed;
  process.off("SIGINT", interrupt);
  if (end?.kind === "failed") throw asThrown(end.failure);
  const answer = end?.kind === "done" ? (end.result as WorkAnswer) : undefined;
  if (answer?.did === "restore") return answer.preview;
  throw new AppError("RESTORE_FAILED", "restoring", "the worker was ended from outside");
}

export function registerRestore(program: Command): void {
  const gather = (value: string, before: readonly string[]): readonly string[] => [
    ...before,
    value,
  ];
  const restoring = program
    .command("restore")
    .description("make a data directory from a backup, on this machine and beside any cluster")
    .requiredOption("--target-dir <directory>", "where to: new or empty")
    .option("--backup <backup>", "its id; the newest when left out")
    .option("--repo <name>", "which repository; the first of the node's file when left out");
  withTargetFlags(restoring)
    .option("--timeline <number>", "another one than the newest that continues the backup")
    .option("--system <id>", "whose backups, where neither data nor the repository tells it")
    .option("--tablespace <old=new>", "where a tablespace goes; may be repeated", gather, [])
    .option("--identity <file>", "the private keys of age that open it")
    .option("--action <what>", "at the target: promote, pause, shutdown", "promote")
    .option("--preview", "show what would be done, and do nothing")
    .option("-y, --yes", "do not ask")
    .option("--json", "for programs")
    .action(restore);
}
