// What long work can be asked of this node, how far is it, and how is it ended?

import { AppError } from "../../model/error.ts";
import { isObject } from "../../model/wire/json.ts";
import { ASKED_TASKS, isTask } from "../../model/worker.ts";
import {
  type ApiContext,
  document,
  failure,
  json,
  type Route,
  type RouteAnswer,
  text,
} from "./route.ts";

function list(context: ApiContext, id: string | null): RouteAnswer {
  const items = (context.jobs?.list() ?? []).filter((job) => id === null || job.id === id);
  if (id !== null && items.length === 0) return text(404, `there is no job ${id} on this member`);
  return document("Jobs", context, { items });
}

function start({ jobs, log }: ApiContext, body: unknown): RouteAnswer {
  const task = isObject(body) ? body["task"] : undefined;
  if (!isTask(task) || !ASKED_TASKS.includes(task))
    return text(400, `task: one of ${ASKED_TASKS.join(", ")}`);
  const input = isObject(body) ? (body["input"] ?? {}) : {};
  if (!isObject(input)) return text(400, "input: must be an object");
  if (jobs === undefined) return text(501, "this agent runs no jobs");
  try {
    const job = jobs.start(task, input);
    log.info("a job is started on request", { task, job: job.id });
    return json(job, 202);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...failure(error, `starting ${task}`), status: 409 };
  }
}

function cancel({ jobs, log }: ApiContext, body: unknown): RouteAnswer {
  const id = isObject(body) ? body["id"] : undefined;
  if (typeof id !== "string") return text(400, "id: which job?");
  const job = jobs?.cancel(id);
  if (job === undefined) return text(404, `there is no job ${id} on this member`);
  if (job.state !== "running") return text(409, `job ${id} has ended: ${job.state}`);
  log.info("a job is cancelled on request", { task: job.task, job: id });
  return text(202, `job ${id} is asked to end`);
}

export const JOB_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/understudy/jobs",
    about: "this member's jobs, the newest first: how far each is, or how it ended; `id` for one",
    answer: (context, { query }) => list(context, query.get("id")),
  },
  {
    method: "POST",
    path: "/understudy/jobs",
    about: "starts the job `task` with `input`; answers it, and goes on by itself",
    body: "required",
    answer: (context, { body }) => start(context, body),
  },
  {
    method: "POST",
    path: "/understudy/jobs/cancel",
    about: "asks the job `id` to end; what it has stored stays, half an object never does",
    body: "required",
    answer: (context, { body }) => cancel(context, body),
  },
];
