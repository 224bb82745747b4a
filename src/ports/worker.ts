// The port to a process beside the agent, for what would keep its loop from looking.
import type { Progress, TaskName } from "../model/worker.ts";

/** Has a task carried out as the server's user. Throws what it failed with, or the signal's reason. */
export type RunTask = (
  task: TaskName,
  input: Readonly<Record<string, unknown>>,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
) => Promise<unknown>;
