// How does a member get its data from another one, without giving up what it has before the copy is complete (R32)?
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, realpath, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { CloneMethod, OwnMethod } from "../../model/settings.ts";
import type { Lineage } from "../../model/timeline.ts";
import { printRole } from "../../model/wire/role.ts";
import type { Progress, Upstream } from "../../ports/postgres.ts";
import { removeDurably, writeDurably } from "../system/durable-file.ts";
import { run } from "../system/spawn.ts";
import { printConninfo, withService } from "./conninfo.ts";
import { readControlFile } from "./control-data.ts";
import { isDiskFull, isMountPoint, signalPath } from "./directory.ts";
import { emptyDirectory, namesIn, renameDurably, sizeBelow } from "./files.ts";
import { copyFromBackup } from "./from-backup.ts";
import { writeLineage } from "./lineage.ts";
import { clearMarker, type Marker, readMarker, writeMarker } from "./marker.ts";
import { branchesOfCopy, runMethod } from "./own-method.ts";
import type { Place } from "./place.ts";
import { isDown } from "./process.ts";
import { findOptional, findProgram, lastWords, tied } from "./programs.ts";
import { prepareSurroundings, replicationConnection } from "./settle.ts";

export interface CloneOptions {
  readonly from: Upstream;
  readonly lineage: Lineage;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

const PROGRESS = /(\d+)\/(\d+) kB/g;

export async function cloneServer(place: Place, options: CloneOptions): Promise<void> {
  const { dataDir, stateDir } = place;
  const attempt = `cloning from ${options.from.member}`;
  if (!isDown(dataDir))
    throw new AppError("NOT_POSSIBLE", attempt, "a server runs on the directory");
  await prepareSurroundings(place);
  const before = await readMarker(stateDir);
  const home = await chooseHome(place, attempt, before);
  await writeMarker(stateDir, { work: "clone", sibling: home.draft });
  let systemId: string;
  let branches: Lineage;
  try {
    branches = await copyByMethods(place, home, options);
    systemId = await verify(place, home.draft, options);
  } catch (error) {
    await giveUp(place, home, before);
    throw error;
  }
  // Without it the copy would look like a former primary's data, and be rewound before its first start.
  await writeDurably(signalPath(home.draft), "", { owner: place.user });
  await writeLineage(stateDir, { systemId, branches, pending: undefined });
  if (home.isBeside) await exchange(home);
  await clearMarker(stateDir);
}

interface Home {
  /** The directory as the file system knows it, links followed. */
  readonly real: string;
  /** Where the copy is made. */
  readonly draft: string;
  /** The copy is made beside and renamed; false when it must be made in place. */
  readonly isBeside: boolean;
}

/**
 * Beside the old one, so that a rename is all that separates old and new. A mount point cannot be renamed: an empty
 * one is filled in place, a full one is a person's to empty.
 */
async function chooseHome(
  { dataDir }: Place,
  attempt: string,
  marker: Marker | "unreadable" | undefined,
): Promise<Home> {
  const real = await realpath(dataDir).catch(() => dataDir);
  if (!(await isMountPoint(real))) {
    const draft = `${real}.clone-${randomBytes(4).toString("hex")}`;
    return { real, draft, isBeside: true };
  }
  const isOurHalf =
    typeof marker === "object" && marker.work === "clone" && marker.sibling === real;
  const names = (await namesIn(real)).filter((name) => name !== "lost+found");
  if (names.length > 0 && !isOurHalf) {
    const why = `${real} is a mount point and cannot be renamed: empty it by hand to permit the clone`;
    throw new AppError("PG_CLONE_FAILED", attempt, why);
  }
  return { real, draft: real, isBeside: false };
}

/** Earlier attempts of ours, and nothing else: the name says whose they are. */
async function removeRemains({ user }: Place, home: Home): Promise<void> {
  const parent = dirname(home.real);
  const prefix = `${basename(home.real)}.clone-`;
  for (const name of await namesIn(parent)) {
    const isOurs = name.startsWith(prefix) && /^[0-9a-f]{8}$/.test(name.slice(prefix.length));
    if (isOurs) await rm(join(parent, name), { recursive: true, force: true });
  }
  if (!home.isBeside) await emptyDirectory(home.draft);
  await mkdir(home.draft, { recursive: true });
  await chmod(home.draft, 0o700);
  if (user !== undefined) await chown(home.draft, user.uid, user.gid);
}

/**
 * A copy that failed while we watched leaves the old directory as it was: without a mark if it had none, with its
 * mark if something earlier had already spoilt it.
 */
async function giveUp(
  { stateDir }: Place,
  home: Home,
  before: Marker | "unreadable" | undefined,
): Promise<void> {
  if (home.isBeside) await rm(home.draft, { recursive: true, force: true });
  else await emptyDirectory(home.draft);
  if (before === undefined) await clearMarker(stateDir);
  else if (before !== "unreadable") await writeMarker(stateDir, before);
}

/** The first method that succeeds; each begins with an empty directory. Answers the history of what it has made. */
async function copyByMethods(place: Place, home: Home, options: CloneOptions): Promise<Lineage> {
  const { cloneMethods } = place.settings.postgres;
  const [first = "basebackup", ...more] = cloneMethods;
  let method = first;
  for (;;) {
    await removeRemains(place, home);
    try {
      return await copyBy(method, place, home, options);
    } catch (error) {
      const next = more.shift();
      options.signal.throwIfAborted();
      if (next === undefined) throw error;
      const failed = method === "basebackup" ? method : method.name;
      place.log.warn("a way to copy failed, the next one is tried", { failed, error });
      method = next;
    }
  }
}

// oxlint-disable-next-line eslint/max-params -- the method, and what every one of them gets
async function copyBy(
  method: CloneMethod,
  place: Place,
  home: Home,
  options: CloneOptions,
): Promise<Lineage> {
  if (method === "basebackup") {
    await copy(place, home.draft, options);
    return options.lineage;
  }
  if ("command" in method) return copyByOwn(place, { home, method, options });
  return copyFromBackup(place, { ...options, dataDir: home.draft });
}

interface OwnCopy {
  readonly home: Home;
  readonly method: OwnMethod;
  readonly options: CloneOptions;
}

/** A restored backup, most of all: what replaces our data must be of the same cluster, and of the leader's history. */
async function copyByOwn(place: Place, { home, method, options }: OwnCopy): Promise<Lineage> {
  const { from, onProgress, signal, lineage } = options;
  onProgress({ phase: `running ${method.name}`, doneBytes: undefined, totalBytes: undefined });
  const role = printRole("standby");
  const connstring = printConninfo(replicationConnection(place, from));
  const args = [`--role=${role}`, `--connstring=${connstring}`];
  const code = "PG_CLONE_FAILED";
  const made = await runMethod(place, method, { dataDir: home.draft, args, code, signal });
  const old = home.isBeside ? await readControlFile(home.real) : undefined;
  if (old !== undefined && old.systemId !== made.systemId) {
    throw new AppError(code, `running ${method.name}`, "what it made is another cluster's data");
  }
  await removeDurably(join(home.draft, "recovery.signal"));
  return branchesOfCopy(made, lineage);
}

async function copy(place: Place, draft: string, options: CloneOptions): Promise<void> {
  const { from, onProgress, signal } = options;
  const { replication } = place.settings.postgres;
  const connection = {
    ...withService(replicationConnection(place, from), replication),
    application_name: `${place.settings.name}_clone`,
  };
  const args = [
    `--dbname=${printConninfo(connection)}`,
    `--pgdata=${draft}`,
    "--format=plain",
    "--wal-method=stream",
    "--checkpoint=fast",
    "--progress",
    "--no-password",
    ...(from.slot === undefined ? [] : [`--slot=${from.slot}`]),
    ...place.settings.postgres.basebackupOptions.map((option) =>
      option.startsWith("-") ? option : `--${option}`,
    ),
  ];
  const command = await tied(await findProgram(place, "pg_basebackup"), args);
  const { code, stderr } = await run({
    ...command,
    environment: { PGSERVICEFILE: place.serviceFile },
    user: place.user,
    signal,
    timeoutMs: undefined,
    onStderr: (text) => {
      const last = [...text.matchAll(PROGRESS)].at(-1);
      if (last === undefined) return;
      const [doneBytes, totalBytes] = [Number(last[1]) * 1024, Number(last[2]) * 1024];
      onProgress({ phase: "copying", doneBytes, totalBytes });
    },
  });
  if (code === 0) return;
  const attempt = `cloning from ${from.member} at ${from.host}:${from.port}`;
  const isFull = await isDiskFull(draft);
  throw new AppError(isFull ? "PG_DISK_FULL" : "PG_CLONE_FAILED", attempt, lastWords(stderr));
}

/**
 * Compares every file with the manifest of the backup, where the program for it is installed. Answers whose data it
 * is.
 */
async function verify(place: Place, draft: string, options: CloneOptions): Promise<string> {
  const attempt = `verifying the clone from ${options.from.member}`;
  const control = await readControlFile(draft);
  if (control === undefined) {
    throw new AppError("PG_CLONE_FAILED", attempt, "the copy has no control file");
  }
  const program = await findOptional(place, "pg_verifybackup");
  const totalBytes = await sizeBelow(draft);
  options.onProgress({ phase: "verifying", doneBytes: undefined, totalBytes });
  const hasManifest = (await namesIn(draft)).includes("backup_manifest");
  if (program === undefined || !hasManifest) return control.systemId;
  const command = await tied(program, ["--quiet", draft]);
  const { code, stderr } = await run({
    ...command,
    user: place.user,
    signal: options.signal,
    timeoutMs: undefined,
  });
  if (code === 0) return control.systemId;
  throw new AppError("PG_CLONE_FAILED", attempt, lastWords(stderr));
}

/** Old aside, new into place. What stands aside is kept until the new one has run. */
async function exchange({ real, draft }: Home): Promise<void> {
  const names = await namesIn(real);
  if (names.length > 0) await renameDurably(real, await asideName(real));
  await renameDurably(draft, real);
}

/** An older one aside may be the only good copy, because its replacement never ran: it keeps its name. */
async function asideName(real: string): Promise<string> {
  const taken = new Set(await namesIn(dirname(real)));
  let name = `${basename(real)}.old`;
  for (let number = 2; taken.has(name); number++) name = `${basename(real)}.old-${number}`;
  return join(dirname(real), name);
}

/** The new directory runs: what it has replaced is no longer needed. */
export async function removeReplaced({ dataDir, log }: Place): Promise<void> {
  const real = await realpath(dataDir).catch(() => dataDir);
  const parent = dirname(real);
  for (const name of await namesIn(parent)) {
    const rest = name.startsWith(`${basename(real)}.old`) ? name.slice(basename(real).length) : "";
    if (!/^\.old(-\d+)?$/.test(rest)) continue;
    log.info("the replaced data directory is removed", { path: join(parent, name) });
    await rm(join(parent, name), { recursive: true, force: true });
  }
}
