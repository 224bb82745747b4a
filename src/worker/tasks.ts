// Which task is carried out by whom? Every task checks its own input.
import type { TaskName, WorkerOrder } from "../model/worker.ts";
import { listBackups, restoreBackup, takeBackup, verifyBackup } from "./backup-tasks.ts";
import { makeCluster, makeStandby } from "./data-tasks.ts";
import { listDrills, runDrill, showDrill, sweepDrills } from "./drill-tasks.ts";
import { readEvidence } from "./evidence-task.ts";
import { expireBackups, sweepBackups } from "./expire-task.ts";
import { takeLogical } from "./logical-take.ts";
import { listLogical, restoreLogical } from "./logical-tasks.ts";
import { initRepositories, listRepositories, probeRepositories } from "./repo-tasks.ts";
import type { Task, TaskContext } from "./task.ts";

const RUN: Readonly<Record<TaskName, Task>> = {
  "repo-list": listRepositories,
  "repo-probe": probeRepositories,
  "repo-init": initRepositories,
  "backup-take": takeBackup,
  "backup-list": listBackups,
  "backup-verify": verifyBackup,
  "backup-evidence": readEvidence,
  "backup-expire": expireBackups,
  restore: restoreBackup,
  "drill-run": runDrill,
  "drill-list": listDrills,
  "drill-show": showDrill,
  "drill-sweep": sweepDrills,
  "logical-take": takeLogical,
  "logical-list": listLogical,
  "logical-restore": restoreLogical,
  "backup-sweep": sweepBackups,
  "make-standby": makeStandby,
  "make-cluster": makeCluster,
};

export const runTask = ({ task, input }: WorkerOrder, context: TaskContext): Promise<unknown> =>
  RUN[task](context, input);
