// What does every piece of work have at hand?
import type { NodeSettings } from "../model/settings.ts";
import type { KnownCluster } from "../model/worker.ts";
import type { BackupProgress } from "./progress.ts";

export interface WorkContext {
  readonly settings: NodeSettings;
  readonly cluster: KnownCluster;
  readonly onProgress: (progress: BackupProgress) => void;
  readonly signal: AbortSignal;
}
