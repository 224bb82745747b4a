// What is this node's worker doing, and what did it do last? Jobs of the command line and of schedules.
import { readNodeText } from "../adapters/system/node-file.ts";
import type { OsUser } from "../adapters/system/os-user.ts";
import { runWorker } from "../adapters/worker/child.ts";
import { AppError, asAppError } from "../model/error.ts";
import { failureIn, type Job, type KnownCluster, TASKS, type TaskName } from "../model/worker.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";

export interface Jobs {
  /** Throws NOT_POSSIBLE when such a job runs already and must be alone. */
  start(task: TaskName, input: Job["input"]): Job;
  /** The newest first; of those that have ended the last few. */
  list(): readonly Job[];
  /** How it ended, when it has. Throws NOT_POSSIBLE when there is no such job. */
  ended(id: string): Promise<Job>;
  /** Asks it to end; undefined when there is no such job. One that has ended stays as it is. */
  cancel(id: string): Job | undefined;
  /** Ends them all and waits until they are gone. */
  close(): Promise<void>;
}

export interface JobsOptions {
  readonly file: string;
  readonly program: string;
  readonly user: OsUser | undefined;
  readonly cluster: () => KnownCluster;
  readonly clock: Clock;
  readonly log: Log;
}

const MOST_KEPT = 50;
const MOST_RUNNING = 8;

interface Running {
  job: Job;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export function createJobs(options: JobsOptions): Jobs {
  const all = new Map<string, Running>();
  const list = (): readonly Job[] => [...all.values()].map(({ job }) => job).toReversed();
  let count = 0;
  return {
    list,
    start(task, input) {
      refuseCrowd(task, list());
      count += 1;
      const startedAtMs = options.clock.wallMs();
      const id = `${startedAtMs.toString(36)}-${count}`;
      const job: Job = { id, task, input, state: "running", startedAtMs };
      const stop = new AbortController();
      const running: Running = { job, stop, done: Promise.resolve() };
      const done = carryOut(options, running);
      all.set(id, Object.assign(running, { done }));
      forgetOldest(all);
      return job;
    },
    async ended(id) {
      const running = all.get(id);
      if (running === undefined)
        throw new AppError("NOT_POSSIBLE", "waiting for a job", `there is no job ${id}`);
      await running.done;
      return running.job;
    },
    cancel(id) {
      const running = all.get(id);
      running?.stop.abort(new AppError("CANCELLED", `running ${running.job.task}`, "as asked"));
      return running?.job;
    },
    async close() {
      for (const { stop, job } of all.values())
        stop.abort(new AppError("CANCELLED", `running ${job.task}`, "the agent leaves"));
      await Promise.all([...all.values()].map(({ done }) => done));
    },
  };
}

async function carryOut(options: JobsOptions, running: Running): Promise<void> {
  const { file, program, user, clock, log } = options;
  const { task, input } = running.job;
  const settle = (how: Partial<Job>): void => {
    const { progress: _, ...job } = running.job;
    running.job = { ...job, endedAtMs: clock.wallMs(), ...how };
  };
  try {
    const order = {
      task,
      input,
      file,
      text: readNodeText(file),
      cluster: options.cluster(),
    };
    const onProgress = (progress: NonNullable<Job["progress"]>): void => {
      running.job = { ...running.job, progress };
    };
    const run = { program, order, user, onProgress };
    settle({ state: "done", result: await runWorker(run, running.stop.signal) });
  } catch (error) {
    const failed = asAppError(error, "NOT_POSSIBLE", `running ${task}`);
    const wasAsked = running.stop.signal.aborted;
    if (!wasAsked) log.warn("a job failed", { task, error: failed });
    settle({ state: wasAsked ? "cancelled" : "failed", failure: failureIn(failed) });
  }
}

function refuseCrowd(task: TaskName, jobs: readonly Job[]): void {
  const running = jobs.filter(({ state }) => state === "running");
  const twin = running.find((job) => job.task === task);
  if (twin !== undefined && TASKS[task].alone)
    throw new AppError("NOT_POSSIBLE", `starting ${task}`, `job ${twin.id} does it already`);
  if (running.length >= MOST_RUNNING)
    throw new AppError("NOT_POSSIBLE", `starting ${task}`, `${running.length} jobs are running`);
}

function forgetOldest(all: Map<string, Running>): void {
  const ended = [...all.values()].filter(({ job }) => job.state !== "running");
  for (const { job } of ended.slice(0, Math.max(0, all.size - MOST_KEPT))) all.delete(job.id);
}
