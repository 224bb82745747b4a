// What do an agent and its worker say to each other? (a short-lived process for what is too heavy for an agent)
import { AppError, ERRORS, type ErrorCode } from "./error.ts";

/** What a worker can be asked to do. `alone`: not twice at the same time on one node. */
export const TASKS = {
  "repo-list": { about: "lists what the repositories hold", alone: false },
  "repo-probe": { about: "finds out what the repositories can do, by doing it", alone: true },
  "repo-init": { about: "makes the repositories this cluster's", alone: true },
  "backup-take": { about: "takes a base backup of this node's server", alone: true },
  "backup-list": { about: "lists the base backups in a repository", alone: false },
  "backup-verify": { about: "reads a base backup back and compares every byte", alone: true },
  "backup-evidence": { about: "reads which copies the repositories hold", alone: false },
  "backup-expire": { about: "removes backups and WAL that are kept no longer", alone: true },
  restore: { about: "makes a data directory from a backup", alone: true },
  "drill-run": { about: "restores a backup beside the cluster and proves it", alone: true },
  "drill-list": { about: "lists the drills", alone: false },
  "drill-show": { about: "shows the proof of a drill", alone: false },
  "drill-sweep": { about: "removes what a drill that was killed has left", alone: true },
  "logical-take": { about: "dumps a database into a repository, and reads it back", alone: true },
  "logical-list": { about: "lists the logical backups", alone: false },
  "logical-restore": { about: "makes a new database of a logical backup", alone: true },
  "backup-sweep": { about: "gives up what a backup that was killed here has left", alone: true },
  "make-standby": { about: "makes this member's data from a backup", alone: true },
  "make-cluster": { about: "makes a new cluster's data from a backup", alone: true },
} as const satisfies Record<string, { readonly about: string; readonly alone: boolean }>;

export type TaskName = keyof typeof TASKS;

export const isTask = (name: unknown): name is TaskName =>
  typeof name === "string" && Object.hasOwn(TASKS, name);

/** Those that the agent's own loop begins, and nobody else: they fill its data directory. */
const OF_THE_LOOP: readonly TaskName[] = ["make-standby", "make-cluster"];

/** What somebody may ask of a node, by name. */
export const ASKED_TASKS: readonly TaskName[] = Object.keys(TASKS)
  .filter(isTask)
  .filter((name) => !OF_THE_LOOP.includes(name));

/** Below the state directory, the server user's: which backups workers of this host take just now. */
export const begunDir = (stateDir: string): string => `${stateDir}/server/begun`;

/** The first line that a worker reads. When its input ends, so does the worker. */
export interface WorkerOrder {
  readonly task: TaskName;
  /** What only this task knows; it checks it itself. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The node's file and its text: the worker's user may not be allowed to read it. */
  readonly file: string;
  readonly text: string;
  readonly cluster: KnownCluster;
}

/** What the agent last read of its cluster, which the worker's user cannot read from its state directory. */
export interface KnownCluster {
  readonly systemId?: string | undefined;
  readonly storeId?: string | undefined;
}

export interface Progress {
  /** What is being done now, as a few words. */
  readonly step: string;
  readonly doneBytes?: number;
  /** Undefined while nobody knows. */
  readonly totalBytes?: number;
}

export interface JobFailure {
  readonly code: ErrorCode;
  readonly attempt: string;
  readonly why: string;
}

/** One line that a worker prints. */
export type WorkerLine =
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly failure: JobFailure };

/** A job as it is shown: what a worker was asked on this node, and how far it is. */
export interface Job {
  readonly id: string;
  readonly task: TaskName;
  readonly input: Readonly<Record<string, unknown>>;
  readonly state: "running" | "done" | "failed" | "cancelled";
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly progress?: Progress;
  readonly result?: unknown;
  readonly failure?: JobFailure;
}

/** Undefined when the line is not one of a worker's. */
export function parseWorkerLine(line: string): WorkerLine | undefined {
  try {
    const read = JSON.parse(line) as WorkerLine;
    return ["progress", "done", "failed"].includes(read.kind) ? read : undefined;
  } catch {
    return undefined;
  }
}

export const failureIn = ({ code, attempt, why }: AppError): JobFailure => ({ code, attempt, why });

/** The failure of a worker as if it had happened here. */
export const asThrown = ({ code, attempt, why }: JobFailure): AppError =>
  new AppError(Object.hasOwn(ERRORS, code) ? code : "NOT_POSSIBLE", attempt, why);
