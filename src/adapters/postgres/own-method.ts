// How does a command of the user's make a data directory, and is what it made one that we can use?
import { AppError, type ErrorCode } from "../../model/error.ts";
import { printLsn } from "../../model/lsn.ts";
import type { OwnMethod } from "../../model/settings.ts";
import type { Lineage } from "../../model/timeline.ts";
import { runHook } from "../system/hook.ts";
import { type ControlFile, readControlFile } from "./control-data.ts";
import type { Place } from "./place.ts";
import { lastWords } from "./programs.ts";

export interface MethodRun {
  /** Where the data shall be: the command is told, and its PGDATA says so too. */
  readonly dataDir: string;
  /** Arguments besides scope, directory and the method's own. */
  readonly args: readonly string[];
  readonly code: ErrorCode;
  readonly signal: AbortSignal;
}

/** Runs it as the server's user, as long as it takes; answers the control file of what it has made. */
export async function runMethod(
  place: Place,
  method: OwnMethod,
  { dataDir, args, code, signal }: MethodRun,
): Promise<ControlFile> {
  const { settings, user, passFile } = place;
  const attempt = `running ${method.name}`;
  const told = [`--scope=${settings.scope}`, `--datadir=${dataDir}`, ...args, ...method.parameters];
  const ended = await runHook({
    name: method.name,
    command: method.command,
    args: method.isBare ? [] : told,
    user,
    signal,
    timeoutMs: undefined,
    environment: { PGDATA: dataDir, PGPASSFILE: passFile, UNDERSTUDY_NAME: settings.name },
    cwd: "/",
  });
  if (ended.code !== 0) {
    const why = `it ended with status ${ended.code ?? "?"}: ${lastWords(ended.stderr)}`;
    throw new AppError(code, attempt, why);
  }
  const control = await readControlFile(dataDir);
  if (control !== undefined) return control;
  throw new AppError(code, attempt, `it left no data of a server in ${dataDir}`);
}

/**
 * The branches that led to a restored copy (R19). It may be older than the leader's timeline, and goes on from there as
 * any standby does; WAL from behind a fork is another history, and so is a timeline that the leader never was on.
 */
export function branchesOfCopy(control: ControlFile, lineage: Lineage): Lineage {
  const { timeline, checkpointLsn, minRecoveryLsn } = control;
  const reached = minRecoveryLsn > checkpointLsn ? minRecoveryLsn : checkpointLsn;
  const at = lineage.findIndex((branch) => branch.timeline === timeline);
  const next = at < 0 ? undefined : lineage[at + 1];
  const attempt = "checking the copy";
  if (at < 0) {
    const why = `it is on timeline ${timeline}, which is none of the leader's`;
    throw new AppError("PG_CLONE_FAILED", attempt, why);
  }
  if (next !== undefined && reached > next.forkLsn) {
    const why = `it reaches to ${printLsn(reached)} on timeline ${timeline}, behind the fork at ${printLsn(next.forkLsn)}`;
    throw new AppError("PG_CLONE_FAILED", attempt, why);
  }
  return lineage.slice(0, at + 1);
}
