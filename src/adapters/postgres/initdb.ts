// How does the first data directory of a cluster come to be, and how is half a one undone (R41)?
import { chmod, chown, mkdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { OwnMethod } from "../../model/settings.ts";
import type { Ms } from "../../model/time.ts";
import type { Progress, ServerPlan } from "../../ports/postgres.ts";
import { readIfPresent, removeDurably, writeDurably } from "../system/durable-file.ts";
import { run } from "../system/spawn.ts";
import { writeConfigFiles } from "./config.ts";
import { readControlFile } from "./control-data.ts";
import { checkOwner, directoryState } from "./directory.ts";
import { emptyDirectory, exists, isAbsent, renameDurably } from "./files.ts";
import { clusterFromBackup } from "./from-backup.ts";
import { readLineage, recordPath, writeLineage } from "./lineage.ts";
import { clearMarker, readMarker, writeMarker } from "./marker.ts";
import { runMethod } from "./own-method.ts";
import type { Place } from "./place.ts";
import { isDown } from "./process.ts";
import { checkVersion, findProgram, lastWords, tied } from "./programs.ts";
import { checkParameters, prepareSurroundings, renderFiles, settle } from "./settle.ts";

const INITDB_LIMIT_MS: Ms = 300_000;
const DEFAULTS = ["--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8"] as const;

/** Says that this directory was made here and belongs to no cluster yet. */
const unclaimedPath = ({ stateDir }: Place): string => join(stateDir, "unclaimed");

export interface Initialising {
  readonly plan: ServerPlan;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export async function initialise(place: Place, options: Initialising): Promise<void> {
  const { plan, signal } = options;
  const { dataDir, stateDir, user } = place;
  const state = await directoryState(place);
  const attempt = `initialising ${dataDir}`;
  if (state === "marked") await clearOwnRemains(place);
  else if (state !== "missing" && state !== "empty") {
    throw new AppError("PG_DATA_FOREIGN", attempt, "the directory is not empty");
  }
  const settled = await settle(place, plan);
  await prepareSurroundings(place);
  await writeMarker(stateDir, { work: "initialise" });
  try {
    await checkEmptyOwner(place);
    await mkdir(dataDir, { recursive: true });
    await chmod(dataDir, 0o700);
    if (user !== undefined) await chown(dataDir, user.uid, user.gid);
    await makeData(place, options);
    await recordBranches(place);
    await checkParameters(place, settled, signal);
    await writeConfigFiles(dataDir, renderFiles(place, plan, settled), user);
    await writeDurably(unclaimedPath(place), "");
  } catch (error) {
    if (isDown(dataDir)) await clearOwnRemains(place);
    throw error;
  }
  await clearMarker(stateDir);
}

async function makeData(place: Place, { onProgress, signal }: Initialising): Promise<void> {
  const { method } = place.settings.bootstrap;
  if (method === undefined) return runInitdb(place, signal);
  if ("command" in method) return runOwnMethod(place, method, signal);
  await clusterFromBackup(place, { dataDir: place.dataDir, onProgress, signal });
  await checkVersion(place);
}

/** Those by which the data has come: one of initdb's own, or all of a restored one's. What an earlier life noted is over. */
async function recordBranches(place: Place): Promise<void> {
  const control = await readControlFile(place.dataDir);
  if (control === undefined)
    throw new AppError("PG_START_FAILED", `initialising ${place.dataDir}`, "there is no data");
  await removeDurably(recordPath(place.stateDir));
  await writeLineage(place.stateDir, await readLineage(place, control));
}

/** An empty directory of our own or the server's user is given to the latter; anybody else's is not ours to take. */
async function checkEmptyOwner(place: Place): Promise<void> {
  const seen = await stat(place.dataDir).catch(isAbsent);
  if (seen !== undefined && seen.uid !== process.geteuid?.()) await checkOwner(place);
}

async function runInitdb(place: Place, signal: AbortSignal): Promise<void> {
  const { settings, dataDir, serverDir, user } = place;
  const { superuser } = settings.postgres;
  const passwordFile = join(serverDir, "initdb-password");
  const options = mergeOptions(settings.bootstrap.initdb);
  const args = ["-D", dataDir, "-U", superuser.username, "--no-instructions", ...options];
  if (superuser.password !== undefined) {
    await writeDurably(passwordFile, `${superuser.password.reveal()}\n`, { owner: user });
    args.push("--auth=scram-sha-256", `--pwfile=${passwordFile}`);
  }
  const command = await tied(await findProgram(place, "initdb"), args);
  try {
    const { code, stderr } = await run({
      ...command,
      user,
      signal,
      timeoutMs: INITDB_LIMIT_MS,
      environment: { LC_ALL: "C" },
    });
    if (code === 0) return;
    throw new AppError("PG_START_FAILED", `running initdb in ${dataDir}`, lastWords(stderr));
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** A cluster begins on the first timeline with a server that only needs to be started; anything else is refused. */
async function runOwnMethod(place: Place, method: OwnMethod, signal: AbortSignal): Promise<void> {
  const { dataDir } = place;
  const code = "PG_START_FAILED";
  const { timeline } = await runMethod(place, method, { dataDir, args: [], code, signal });
  const fail = (why: string): never => {
    throw new AppError(code, `running ${method.name}`, why);
  };
  if (timeline !== 1) fail(`its data is on timeline ${timeline}, a new cluster begins on 1`);
  for (const name of ["standby.signal", "recovery.signal"]) {
    if (await exists(join(dataDir, name))) fail(`its data wants a recovery first (${name})`);
  }
  await checkVersion(place);
  await chmod(dataDir, 0o700);
}

/** The user's options, and those of ours that he does not contradict. */
function mergeOptions(asked: readonly string[]): readonly string[] {
  const given = asked.map((option) => (option.startsWith("-") ? option : `--${option}`));
  const isGiven = (name: string): boolean => given.some((option) => option.startsWith(name));
  const ours = DEFAULTS.filter((option) => {
    if (option === "--data-checksums") return !isGiven("--no-data-checksums");
    if (option.startsWith("--locale")) return !isGiven("--locale") && !isGiven("--lc-");
    return !isGiven(option.split("=")[0] ?? "");
  });
  return [...ours.filter((option) => !given.includes(option)), ...given];
}

/** Empties what an interrupted attempt of ours has left; a directory that runs or was claimed is not touched. */
async function clearOwnRemains(place: Place): Promise<void> {
  const marker = await readMarker(place.stateDir);
  const attempt = `clearing ${place.dataDir}`;
  if (marker === undefined || marker === "unreadable" || marker.work !== "initialise") {
    throw new AppError("PG_DATA_FOREIGN", attempt, "it is not an interrupted initialisation");
  }
  if (!isDown(place.dataDir)) throw new AppError("NOT_POSSIBLE", attempt, "a server runs on it");
  await removeData(place.dataDir);
  await clearMarker(place.stateDir);
}

/** A link or a mount point stays, empty. */
async function removeData(dataDir: string): Promise<void> {
  await emptyDirectory(dataDir);
  await rmdir(dataDir).catch(() => undefined);
}

/**
 * Undoes an initialisation whose claim failed. What has not served anybody is deleted; if the new server has run, the
 * directory is set aside, because deleting data is a person's decision.
 */
export async function discardHalfBootstrap(place: Place): Promise<void> {
  const { dataDir, stateDir, settings } = place;
  if ((await readMarker(stateDir)) !== undefined) await clearOwnRemains(place);
  const note = await readIfPresent(unclaimedPath(place));
  if (note === undefined) return;
  if (!isDown(dataDir)) {
    throw new AppError("NOT_POSSIBLE", `discarding ${dataDir}`, "a server runs on it");
  }
  if (note !== "finished") await removeData(dataDir);
  else if (await exists(dataDir)) {
    const id = (await readControlFile(dataDir))?.systemId ?? settings.name;
    await renameDurably(dataDir, `${dataDir}.unclaimed-${id}`);
  }
  await removeDurably(join(stateDir, "lineage.json"));
  await removeDurably(unclaimedPath(place));
}

/** The first start of new data leaves the note, every later one says that the cluster has accepted it. */
export async function noteStart(place: Place): Promise<void> {
  const note = await readIfPresent(unclaimedPath(place));
  if (note === "finished") await removeDurably(unclaimedPath(place));
}

export async function noteFinished(place: Place): Promise<void> {
  if ((await readIfPresent(unclaimedPath(place))) !== undefined) {
    await writeDurably(unclaimedPath(place), "finished");
  }
}
