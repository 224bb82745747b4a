// Which task is carried out by whom? Every task checks its own input.
import type { TaskName, WorkerOrder } from "../model/worker.ts";
import { initRepositories, listRepositories, probeRepositories } from "./repo-tasks.ts";
import type { Task, TaskContext } from "./task.ts";

const RUN: Readonly<Record<TaskName, Task>> = {
  "repo-list": listRepositories,
  "repo-probe": probeRepositories,
  "repo-init": initRepositories,
};

export const runTask = ({ task, input }: WorkerOrder, context: TaskContext): Promise<unknown> =>
  RUN[task](context, input);
