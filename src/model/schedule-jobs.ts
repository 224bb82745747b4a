// What can be run by schedule? One row for each kind of job; several that are due go in this order.
import type { BackupSettings } from "./repository.ts";
import type { JobSchedule } from "./schedule.ts";
import { isObject } from "./wire/json.ts";
import type { Job, TaskName } from "./worker.ts";

export interface JobKind {
  readonly about: string;
  readonly task: TaskName;
  /** The jobs that make one run, one after the other, also when one of them fails. */
  readonly inputs: (backup: BackupSettings, schedule: JobSchedule) => readonly Job["input"][];
  /** Why a job that came to its end has not done what it was for; undefined when it has. */
  readonly whyBad: (result: unknown) => string | undefined;
}

const inEach = (
  { repositories }: BackupSettings,
  inputFor: (repository: string) => Job["input"],
): readonly Job["input"][] => repositories.map(({ name }) => inputFor(name));

const never = (): undefined => undefined;

export const SCHEDULED_JOBS = {
  base: {
    about: "a base backup into each repository",
    task: "backup-take",
    inputs: (backup) => inEach(backup, (repo) => ({ repo, label: "by schedule" })),
    whyBad: never,
  },
  logical: {
    about: "dumps of databases, with roles, into each repository",
    task: "logical-take",
    inputs: (backup, { databases }) =>
      databases.flatMap((database) =>
        inEach(backup, (repository) => ({ repository, database, globals: true })),
      ),
    whyBad: never,
  },
  verify: {
    about: "the newest base backup of each repository is read back",
    task: "backup-verify",
    inputs: (backup) => inEach(backup, (repo) => ({ repo })),
    whyBad: whyDamaged,
  },
  expire: {
    about: "what is kept no longer is removed",
    task: "backup-expire",
    inputs: () => [{ isPreview: false }],
    whyBad: whyNotExpired,
  },
  drill: {
    about: "a restore from each repository, beside the cluster, looked at and proven",
    task: "drill-run",
    inputs: (backup) => inEach(backup, (repo) => ({ repo })),
    whyBad: whyNotProven,
  },
} as const satisfies Readonly<Record<string, JobKind>>;

export type ScheduledName = keyof typeof SCHEDULED_JOBS;

export const isScheduledName = (name: string): name is ScheduledName =>
  Object.hasOwn(SCHEDULED_JOBS, name);

function whyNotProven(result: unknown): string | undefined {
  if (!isObject(result) || result["outcome"] === "passed") return undefined;
  return `${String(result["repo"])}: ${String(result["why"])}`;
}

function whyDamaged(result: unknown): string | undefined {
  const verification = isObject(result) ? result["verification"] : undefined;
  if (!isObject(verification) || verification["outcome"] === "passed") return undefined;
  const id = isObject(result) ? String(result["id"]) : "a backup";
  return `${id} is damaged: ${String(verification["why"])}`;
}

function whyNotExpired(result: unknown): string | undefined {
  const items = isObject(result) && Array.isArray(result["items"]) ? result["items"] : [];
  const bad = items.filter(isObject).find(({ state }) => state === "refused" || state === "failed");
  return bad === undefined ? undefined : `${String(bad["repository"])}: ${String(bad["why"])}`;
}
