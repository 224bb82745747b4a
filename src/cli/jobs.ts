// How is long work started on a member, watched, and ended? The member does it; whoever watches may go away.
import { setTimeout as sleep } from "node:timers/promises";
import pc from "picocolors";
import { printBytes } from "../model/amounts.ts";
import { AppError } from "../model/error.ts";
import { isObject } from "../model/wire/json.ts";
import { asThrown, type Job, type Progress, type TaskName } from "../model/worker.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { call, change, listIn, plainJson, type Reached } from "./rest.ts";
import type { Target } from "./target.ts";
import { isTerminal, say } from "./terminal.ts";

const POLL_MS = 250;
/** A member that does not answer for so long has lost the job, or we have lost the member. */
const SILENCE_LIMIT_MS = 30_000;

interface JobAt {
  readonly apiUrl: string;
  readonly id: string;
}

/** Starts the job, shows how far it is, and answers it when it is done. Throws what it failed with. */
export async function runJob(
  target: Target,
  apiUrl: string,
  order: { readonly task: TaskName; readonly input: Job["input"] },
): Promise<Job> {
  const url = `${apiUrl}/understudy/jobs`;
  const answer = await change(target, { method: "POST", url, body: order });
  const started = plainJson(answer.body);
  if (!isObject(started) || typeof started["id"] !== "string")
    throw new CliFailure(EXIT.unexpected, `${url} did not answer with a job`);
  const at = { apiUrl, id: started["id"] };
  const interrupt = (): void =>
    void cancelJob(target, at).finally(() => process.exit(EXIT.interrupted));
  process.once("SIGINT", interrupt);
  try {
    return await follow(target, at);
  } finally {
    process.off("SIGINT", interrupt);
  }
}

/** Shows a job that runs until it ends; answers it, or throws what it failed with. */
async function follow(target: Target, at: JobAt): Promise<Job> {
  let shown = "";
  for (let heardAt = Date.now(); ; ) {
    const job = await readJob(target, at).catch((error: unknown) => {
      if (Date.now() - heardAt > SILENCE_LIMIT_MS) throw error;
      return undefined;
    });
    if (job !== undefined) {
      heardAt = Date.now();
      shown = showProgress(job.progress, shown);
      if (job.state === "done") return job;
      if (job.state !== "running") throw failureOf(job);
    }
    await sleep(POLL_MS);
  }
}

async function readJob(target: Target, { apiUrl, id }: JobAt): Promise<Job> {
  const url = `${apiUrl}/understudy/jobs?id=${encodeURIComponent(id)}`;
  const [job] = await jobsIn(target, url);
  if (job !== undefined) return job;
  throw new AppError("PEER_UNREACHABLE", `GET ${url}`, "the answer holds no job");
}

export const jobsAt = (target: Reached, apiUrl: string): Promise<readonly Job[]> =>
  jobsIn(target, `${apiUrl}/understudy/jobs`);

/** An answer that is no list is not taken for an empty one. */
async function jobsIn(target: Reached, url: string): Promise<readonly Job[]> {
  const answer = await call(target, { method: "GET", url });
  const told = listIn(answer);
  if (told !== undefined) return told.items as readonly Job[];
  throw new AppError("PEER_UNREACHABLE", `GET ${url}`, `the answer was ${answer.status}`);
}

export async function cancelJob(target: Target, { apiUrl, id }: JobAt): Promise<string> {
  const url = `${apiUrl}/understudy/jobs/cancel`;
  return (await change(target, { method: "POST", url, body: { id } })).body;
}

const failureOf = ({ failure, task, state }: Job): Error =>
  failure === undefined
    ? new CliFailure(EXIT.unexpected, `${task} ended: ${state}`)
    : asThrown(failure);

/** The same view for work that is not a member's: to be told of each progress. */
export function createProgressView(): (progress: Progress) => void {
  let shown = "";
  return (progress) => {
    shown = showProgress(progress, shown);
  };
}

/** One line that changes on a terminal; on a pipe a line for each new step. */
function showProgress(progress: Progress | undefined, shown: string): string {
  if (progress === undefined) return shown;
  const line = progressLine(progress);
  if (isTerminal()) process.stderr.write(`\r\u001b[2K${pc.dim(line)}`);
  else if (progress.step !== shown) say(progress.step);
  return progress.step;
}

export function progressLine({ step, doneBytes, totalBytes }: Progress): string {
  if (doneBytes === undefined) return step;
  if (totalBytes === undefined || totalBytes === 0) return `${step}: ${printBytes(doneBytes)}`;
  const percent = Math.min(100, Math.floor((100 * doneBytes) / totalBytes));
  return `${step}: ${printBytes(doneBytes)} of ${printBytes(totalBytes)}, ${percent} %`;
}

/** The items of a finished job's result; none when there is no such result. */
export function itemsIn({ result }: Job): readonly unknown[] {
  const items = isObject(result) ? result["items"] : undefined;
  return Array.isArray(items) ? items : [];
}
