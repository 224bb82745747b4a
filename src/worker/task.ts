// What does a task get, and what may it answer?
import type { NodeSettings } from "../model/settings.ts";
import type { KnownCluster, Progress } from "../model/worker.ts";

export interface TaskContext {
  readonly settings: NodeSettings;
  readonly cluster: KnownCluster;
  readonly progress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** Answers plain JSON, which is shown as it is; throws AppErrors. */
export type Task = (
  context: TaskContext,
  input: Readonly<Record<string, unknown>>,
) => Promise<unknown>;
