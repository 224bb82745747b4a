// Which jobs of the backups does this node's file have run by themselves, and how is one carried out here?
import { asAppError } from "../../model/error.ts";
import type { BackupSettings } from "../../model/repository.ts";
import { type Ending, type JobSchedule, withJitter } from "../../model/schedule.ts";
import { type JobKind, SCHEDULED_JOBS, type ScheduledName } from "../../model/schedule-jobs.ts";
import type { Job, TaskName } from "../../model/worker.ts";
import type { PlannedJob } from "./keeper.ts";

/** Runs it on this node and answers its result. Throws what it failed with, or the signal's reason once it has ended. */
export type RunTask = (
  task: TaskName,
  input: Job["input"],
  signal: AbortSignal,
) => Promise<unknown>;

export function backupJobs(
  scope: string,
  backup: BackupSettings | undefined,
  run: RunTask,
): readonly PlannedJob[] {
  const { jobs, waitInPause } = backup?.schedules ?? { jobs: {}, waitInPause: false };
  return (Object.keys(SCHEDULED_JOBS) as ScheduledName[]).flatMap((name) => {
    const schedule = jobs[name];
    if (backup === undefined || schedule === undefined) return [];
    const kind: JobKind = SCHEDULED_JOBS[name];
    return [
      {
        name,
        about: kind.about,
        schedule: withJitter(schedule, scope),
        waitsInPause: waitInPause,
        carryOut: (signal: AbortSignal) => runAll({ kind, backup, schedule, run }, signal),
      },
    ];
  });
}

interface Task {
  readonly kind: JobKind;
  readonly backup: BackupSettings;
  readonly schedule: JobSchedule;
  readonly run: RunTask;
}

/** All its inputs one after the other. */
async function runAll(task: Task, signal: AbortSignal): Promise<Ending> {
  const bad: string[] = [];
  for (const input of task.kind.inputs(task.backup, task.schedule)) {
    const why = await runOne(task, input, signal);
    if (why !== undefined) bad.push(why);
  }
  return bad.length === 0 ? { outcome: "done" } : { outcome: "failed", why: bad.join("; ") };
}

/** Why it is bad. Only the signal keeps the next one from its turn: a repository that is full must not starve the others. */
async function runOne(
  { kind: { task, whyBad }, run }: Task,
  input: Job["input"],
  signal: AbortSignal,
): Promise<string | undefined> {
  signal.throwIfAborted();
  try {
    return whyBad(await run(task, input, signal));
  } catch (error) {
    signal.throwIfAborted();
    return asAppError(error, "NOT_POSSIBLE", `running ${task}`).message;
  }
}
