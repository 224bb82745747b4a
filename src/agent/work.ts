// The long work of a node, put together: jobs that are asked for, and those that run by themselves.
import { actAs } from "../adapters/system/os-user.ts";
import { keysOf } from "../dcs/keys.ts";
import { turnsIn } from "../dcs/turns.ts";
import type { NodeSettings } from "../model/settings.ts";
import { asThrown, type Job, type TaskName } from "../model/worker.ts";
import type { NodePorts } from "../node/node.ts";
import { programBeside } from "./compose-shared.ts";
import { sweepAfterBackups } from "./drills.ts";
import { gameDayJobs } from "./game-days/scheduled.ts";
import { createJobs, type Jobs, type JobsOptions } from "./jobs.ts";
import { backupJobs, type RunTask } from "./schedule/backup-jobs.ts";
import { ScheduleKeeper } from "./schedule/keeper.ts";
import type { Story } from "./story.ts";

export interface Work {
  readonly jobs: Jobs;
  readonly schedule: ScheduleKeeper;
  /** The node's file was read again. */
  onReload(settings: NodeSettings): void;
  /** Ends what runs; what the schedule ran is another node's from then on. */
  close(): Promise<void>;
}

export function composeWork(
  file: string,
  settings: NodeSettings,
  { ports, story }: { readonly ports: NodePorts; readonly story: Pick<Story, "chronicle"> },
): Work {
  const { name, scope, namespace, postgres } = settings;
  const { store, clock, random, log, state } = ports;
  const jobs = sweeping(settings, {
    file,
    program: programBeside("worker.mjs"),
    user: actAs(postgres.osUser),
    cluster: () => {
      const { store: known } = state.current();
      return { systemId: known?.systemId, storeId: known?.clusterId };
    },
    clock,
    log,
  });
  const run: RunTask = (task, input, signal) => runJob(jobs, { task, input }, signal);
  // Game days first: a backup may come an hour later, they may not.
  const planned = ({ backup, gameDays }: NodeSettings) => [
    ...gameDayJobs(file, gameDays),
    ...backupJobs(scope, backup, run),
  ];
  const schedule = new ScheduleKeeper({
    ...{ name, clock, random, log },
    jobs: planned(settings),
    turns: turnsIn(store, keysOf(namespace, scope)),
    onEnded: (job, ending) =>
      story.chronicle.scheduled(job, ending.outcome, "why" in ending ? ending.why : undefined),
  });
  return {
    jobs,
    schedule,
    onReload: (now) => schedule.reconfigure(planned(now)),
    async close() {
      await schedule.close();
      await jobs.close();
    },
  };
}

const TAKES: readonly TaskName[] = ["backup-take", "logical-take"];

/** Jobs that give up what a worker which was killed has begun: nobody else knows so soon that it is dead. */
function sweeping(settings: NodeSettings, options: JobsOptions): Jobs {
  const jobs = createJobs(options);
  const sweepAfter = async (id: string): Promise<void> => {
    const { state } = await jobs.ended(id);
    if (state === "failed") await sweepAfterBackups(jobs, settings);
  };
  const start: Jobs["start"] = (task, input) => {
    const job = jobs.start(task, input);
    if (TAKES.includes(task))
      void sweepAfter(job.id).catch((error: unknown) => {
        options.log.warn("what a killed backup has left stays for a day", { error });
      });
    return job;
  };
  return { ...jobs, start };
}

async function runJob(
  jobs: Jobs,
  { task, input }: { readonly task: TaskName; readonly input: Job["input"] },
  signal: AbortSignal,
): Promise<unknown> {
  const { id } = jobs.start(task, input);
  const cancel = (): void => void jobs.cancel(id);
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  const { state, result, failure } = await jobs.ended(id);
  signal.removeEventListener("abort", cancel);
  if (state === "done") return result;
  signal.throwIfAborted();
  throw failure === undefined ? new Error(`${task} ended: ${state}`) : asThrown(failure);
}
