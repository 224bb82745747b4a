// How does a member that has WAL which nobody else has find back to the others (R32, R42)?
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import { type Lsn, parseLsn, printLsn } from "../../model/lsn.ts";
import type { DatabaseLogin } from "../../model/settings.ts";
import { after, type Ms } from "../../model/time.ts";
import { areTwins, type Lineage } from "../../model/timeline.ts";
import type { Progress, Upstream } from "../../ports/postgres.ts";
import { removeDurably, writeDurably } from "../system/durable-file.ts";
import { run } from "../system/spawn.ts";
import { connectionTo, printConninfo, withService } from "./conninfo.ts";
import { type ControlFile, isCleanlyDown, readControlFile } from "./control-data.ts";
import { checkOwner, signalPath } from "./directory.ts";
import { exists, isAbsent } from "./files.ts";
import { readLineage, writeLineage } from "./lineage.ts";
import { clearMarker, readMarker, writeMarker } from "./marker.ts";
import type { Place } from "./place.ts";
import { isDown } from "./process.ts";
import { checkVersion, findProgram, lastWords, tied } from "./programs.ts";
import { memberTarget, type Session, withSession } from "./session.ts";
import { prepareSurroundings } from "./settle.ts";
import { segmentName } from "./wal.ts";

export interface RewindOptions {
  readonly from: Upstream;
  readonly lineage: Lineage;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

const STATEMENT_LIMIT_MS: Ms = 5000;
const CHECKPOINT_WAIT_MS: Ms = 15_000;
const CHECKPOINT_POLL_MS: Ms = 100;

export async function rewindServer(place: Place, options: RewindOptions): Promise<void> {
  const { dataDir, stateDir, user } = place;
  const { from, lineage, onProgress, signal } = options;
  const attempt = `rewinding to ${from.member}`;
  const fail = (why: string): AppError => new AppError("PG_REWIND_FAILED", attempt, why);
  if (!isDown(dataDir))
    throw new AppError("NOT_POSSIBLE", attempt, "a server runs on the directory");
  await checkOwner(place);
  await checkVersion(place);
  const control = await checkTarget(place, lineage, fail);
  await prepareSurroundings(place);
  onProgress({ phase: "checking", doneBytes: undefined, totalBytes: undefined });
  await withSource(place, from, (session) =>
    checkSource(place, session, { options, control, fail }),
  );

  await writeMarker(stateDir, { work: "rewind" });
  onProgress({ phase: "rewinding", doneBytes: undefined, totalBytes: undefined });
  if (!isCleanlyDown(control.state)) {
    // pg_rewind runs the crash recovery itself, in a single-user server, which refuses to be a standby.
    await removeDurably(signalPath(dataDir));
  }
  await runRewind(place, from, signal);
  await writeDurably(signalPath(dataDir), "", { owner: user });
  await withSource(place, from, (session) => checkStart(place, session, { control, fail }));
  const { systemId } = control;
  await writeLineage(stateDir, { systemId, branches: lineage, pending: undefined });
  await clearMarker(stateDir);
}

type Fail = (why: string) => AppError;

/** What makes a rewind impossible, or worse: apparently successful. */
async function checkTarget(place: Place, lineage: Lineage, fail: Fail): Promise<ControlFile> {
  const marker = await readMarker(place.stateDir);
  // What an interrupted rewind has left may look like a good target and is not: its WAL was being exchanged.
  if (marker !== undefined) throw fail("an earlier rebuild was interrupted, only a clone helps");
  const control = await readControlFile(place.dataDir);
  if (control === undefined) throw fail("there is no data");
  if (!control.dataChecksums && !control.walLogHints) {
    throw fail("neither data checksums nor wal_log_hints were on");
  }
  // Single-user recovery would write a record of its own onto the timeline it shares with the source.
  if (control.state === "in archive recovery") throw fail("a standby that crashed is no target");
  const record = await readLineage(place, control);
  const twin = record.branches.find((mine) => lineage.some((theirs) => areTwins(mine, theirs)));
  if (twin !== undefined) {
    // pg_rewind would see one number, find nothing to do and succeed.
    throw fail(`timeline ${twin.timeline} of this member was begun by another leader`);
  }
  return control;
}

interface SourceCheck {
  readonly options: RewindOptions;
  readonly control: ControlFile;
  readonly fail: Fail;
}

/**
 * pg_rewind believes the source's control file, which knows a new timeline only after a checkpoint; and what the
 * source has thrown away since the fork cannot be replayed later (R42).
 */
async function checkSource(place: Place, session: Session, check: SourceCheck): Promise<void> {
  const { options, control, fail } = check;
  const head = options.lineage.at(-1);
  const [identity] = await session.query(
    "SELECT system_identifier::text AS id FROM pg_control_system()",
    [],
    STATEMENT_LIMIT_MS,
  );
  if (identity?.["id"] !== control.systemId) throw fail("the source is another cluster");
  await checkPermitted(session, fail);
  await untilCheckpointed(place, session, { timeline: head?.timeline ?? 0, options, fail });
  const fork = options.lineage.find(({ parent }) => parent === control.timeline);
  if (
    fork !== undefined &&
    !(await hasWal(session, { ...fork, at: fork.forkLsn, segmentSize: control.segmentSize }))
  ) {
    throw fail(`the source no longer has the WAL from the fork at ${printLsn(fork.forkLsn)}`);
  }
}

/** pg_rewind would say these itself, but only in the midst of its work, when the directory is marked already. */
async function checkPermitted(session: Session, fail: Fail): Promise<void> {
  const statement = `SELECT current_setting('full_page_writes') AS pages, current_user AS name,
    has_function_privilege('pg_read_binary_file(text,bigint,bigint,boolean)', 'EXECUTE') AS may`;
  const [row] = await session.query(statement, [], STATEMENT_LIMIT_MS);
  if (row?.["pages"] !== "on") throw fail("full_page_writes is off on the source");
  if (row["may"] === true) return;
  const who = String(row["name"]);
  throw fail(`${who} may not read the source's files: see postgresql.authentication.rewind`);
}

async function untilCheckpointed(
  { clock }: Place,
  session: Session,
  wait: { readonly timeline: number; readonly options: RewindOptions; readonly fail: Fail },
): Promise<void> {
  const limit = after(clock.now(), CHECKPOINT_WAIT_MS);
  const statement = "SELECT timeline_id FROM pg_control_checkpoint()";
  for (;;) {
    const [row] = await session.query(statement, [], STATEMENT_LIMIT_MS);
    if (Number(row?.["timeline_id"]) >= wait.timeline) return;
    if (clock.now() >= limit) throw wait.fail("the source has not finished its first checkpoint");
    await clock.sleep(CHECKPOINT_POLL_MS, wait.options.signal);
  }
}

/** The segment may have its name from the timeline that ended there or from the one that began. */
async function hasWal(
  session: Session,
  wanted: {
    readonly timeline: number;
    readonly parent: number;
    readonly at: Lsn;
    readonly segmentSize: number;
  },
): Promise<boolean> {
  const { timeline, parent, at, segmentSize } = wanted;
  const names = [timeline, parent].map((number) => segmentName(number, at, segmentSize));
  const rows = await session.query(
    "SELECT 1 FROM pg_ls_dir('pg_wal', false, false) AS name WHERE name = ANY($1)",
    [names],
    STATEMENT_LIMIT_MS,
  );
  return rows.length > 0;
}

/** After the rewind the target replays from the last common checkpoint: that WAL must be here or there. */
async function checkStart(
  { dataDir }: Place,
  session: Session,
  { control, fail }: { readonly control: ControlFile; readonly fail: Fail },
): Promise<void> {
  const label = await readFile(join(dataDir, "backup_label"), "utf8").catch(isAbsent);
  const [, position, file] =
    /^START WAL LOCATION: (\S+) \(file ([0-9A-F]{24})\)/m.exec(label ?? "") ?? [];
  const start = position === undefined ? undefined : parseLsn(position);
  if (start === undefined || file === undefined) return;
  if (await exists(join(dataDir, "pg_wal", file))) return;
  const timeline = Number.parseInt(file.slice(0, 8), 16);
  const { segmentSize } = control;
  const wanted = { timeline, parent: timeline, at: start, segmentSize };
  if (await hasWal(session, wanted)) return;
  throw fail(`the WAL from the last common checkpoint at ${printLsn(start)} is gone`);
}

async function runRewind(place: Place, from: Upstream, signal: AbortSignal): Promise<void> {
  const { settings, dataDir, passFile, serviceFile, user } = place;
  const login = rewindRole(place);
  const source = connectionTo({
    address: from,
    login,
    applicationName: `${settings.name}_rewind`,
    passFile,
    database: settings.postgres.database,
  });
  const args = [
    `--target-pgdata=${dataDir}`,
    `--source-server=${printConninfo(withService(source, login))}`,
    ...((await hasRestoreCommand(dataDir)) ? ["--restore-target-wal"] : []),
  ];
  const command = await tied(await findProgram(place, "pg_rewind"), args);
  const environment = { PGSERVICEFILE: serviceFile };
  const { code, stderr } = await run({
    ...command,
    environment,
    user,
    signal,
    timeoutMs: undefined,
  });
  if (code === 0) return;
  const attempt = `rewinding to ${from.member} at ${from.host}:${from.port}`;
  throw new AppError("PG_REWIND_FAILED", attempt, lastWords(stderr));
}

const rewindRole = ({ settings }: Place): DatabaseLogin =>
  settings.postgres.rewind ?? settings.postgres.superuser;

async function hasRestoreCommand(dataDir: string): Promise<boolean> {
  const path = join(dataDir, "postgresql.conf");
  if (!(await exists(path))) return false;
  await using file = await open(path);
  for await (const line of file.readLines()) {
    if (/^\s*restore_command\s*=\s*'[^']/.test(line)) return true;
  }
  return false;
}

async function withSource<T>(
  place: Place,
  from: Upstream,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const target = memberTarget(from, rewindRole(place), place.settings.postgres.database);
  try {
    return await withSession(target, STATEMENT_LIMIT_MS, work);
  } catch (error) {
    if (error instanceof AppError && error.code === "PG_REWIND_FAILED") throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("PG_REWIND_FAILED", `asking ${from.member} for its WAL`, why, error);
  }
}
