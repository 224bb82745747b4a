// How do our own backups make the data of this node? A worker of ours knows the repositories; here its work is judged.
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { Lineage } from "../../model/timeline.ts";
import { printLineage } from "../../model/wire/dcs.ts";
import { isObject } from "../../model/wire/json.ts";
import type { Progress as Doing, TaskName } from "../../model/worker.ts";
import type { Progress } from "../../ports/postgres.ts";
import { readControlFile } from "./control-data.ts";
import { exists } from "./files.ts";
import { branchesOfCopy } from "./own-method.ts";
import type { Place } from "./place.ts";

interface Making {
  /** Empty, of the server's user. */
  readonly dataDir: string;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** A standby's data on the leader's history; answers the branches on which it lies with the WAL beside it. */
export async function copyFromBackup(
  place: Place,
  making: Making & { readonly lineage: Lineage },
): Promise<Lineage> {
  const { dataDir, lineage } = making;
  const input = { targetDir: dataDir, lineage: printLineage(lineage) };
  const made = await runTask(place, "make-standby", input, making);
  const control = await readControlFile(dataDir);
  const timeline = isObject(made) ? made["timeline"] : undefined;
  const at = lineage.findIndex((branch) => branch.timeline === timeline);
  if (control === undefined || at < 0)
    throw new AppError(
      "PG_CLONE_FAILED",
      "copying from a backup",
      "it left no data on the history",
    );
  branchesOfCopy(control, lineage);
  tell(place, made);
  return lineage.slice(0, at + 1);
}

/** The data of a new cluster, recovered and stopped: it only needs to be started. */
export async function clusterFromBackup(place: Place, making: Making): Promise<void> {
  const { dataDir } = making;
  const made = await runTask(place, "make-cluster", { targetDir: dataDir }, making);
  const control = await readControlFile(dataDir);
  const wantsRecovery = await exists(join(dataDir, "recovery.signal"));
  if (control?.state !== "shut down" || wantsRecovery)
    throw new AppError("PG_START_FAILED", "making a cluster from a backup", "it is not whole");
  tell(place, made);
}

function runTask(
  place: Place,
  task: TaskName,
  input: Readonly<Record<string, unknown>>,
  { onProgress, signal }: Making,
): Promise<unknown> {
  if (place.runTask === undefined)
    throw new AppError("NOT_POSSIBLE", `running ${task}`, "there is no worker here");
  const pass = ({ step, doneBytes, totalBytes }: Doing): void =>
    onProgress({ phase: step, doneBytes, totalBytes });
  return place.runTask(task, input, pass, signal);
}

const tell = ({ log }: Place, made: unknown): void =>
  log.info("data was made from a backup", isObject(made) ? made : {});
