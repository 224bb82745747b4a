// How does a standby become the primary, on exactly the timeline that was reserved for it (R18)?
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import { after, type Ms } from "../../model/time.ts";
import { type Branch, historyFileName, parseHistory } from "../../model/timeline.ts";
import { readIfPresent, writeDurably } from "../system/durable-file.ts";
import { readControlFile } from "./control-data.ts";
import { signalPath } from "./directory.ts";
import { reserveNumbers } from "./history.ts";
import { readLineage, writeLineage } from "./lineage.ts";
import type { Place } from "./place.ts";
import { localTarget, type Session, withSession } from "./session.ts";
import { kill } from "./stop.ts";

const POLL_MS: Ms = 5;
const STATEMENT_LIMIT_MS: Ms = 5000;
const CHECKPOINT_LIMIT_MS: Ms = 300_000;

export interface PromoteOptions {
  readonly branch: Branch;
  readonly timeoutMs: Ms;
  readonly signal: AbortSignal;
}

const WHERE = `SELECT CASE WHEN NOT pg_is_in_recovery()
  THEN pg_walfile_name(pg_current_wal_lsn()) END AS file`;

/**
 * The note of the coming branch is on disk before the server hears of it: whatever is interrupted from here on, data
 * on that timeline has its term.
 */
export async function promoteServer(place: Place, options: PromoteOptions): Promise<Branch> {
  const { settings, dataDir, stateDir } = place;
  const { branch } = options;
  const attempt = `promoting to timeline ${branch.timeline}`;
  const control = await readControlFile(dataDir);
  if (control === undefined) throw new AppError("PG_PROMOTE_FAILED", attempt, "no control file");
  const recorded = await readLineage(place, control);
  const branches = recorded.branches.filter(({ timeline }) => timeline < branch.timeline);
  await writeLineage(stateDir, { systemId: control.systemId, branches, pending: branch });

  const target = localTarget(settings.postgres);
  let timeline: number;
  try {
    timeline = await withSession(target, STATEMENT_LIMIT_MS, (session) =>
      promoteThrough(place, session, options),
    );
  } catch (error) {
    await demoteOnDisk(place);
    throw error;
  }
  if (timeline !== branch.timeline) {
    await kill(place, `promoted to timeline ${timeline} instead of ${branch.timeline}`);
    await demoteOnDisk(place);
    const why = `the server is on ${timeline}, reserved was ${branch.timeline}`;
    throw new AppError("PG_TIMELINE_WRONG", attempt, why);
  }
  const begun = await asBegun(place, branch);
  const promoted = [...branches, begun];
  await writeLineage(stateDir, {
    systemId: control.systemId,
    branches: promoted,
    pending: undefined,
  });
  checkpointInBackground(place);
  return begun;
}

/** The branch with the fork that the server chose: the reservation could only know the position of that moment. */
async function asBegun({ dataDir }: Place, branch: Branch): Promise<Branch> {
  const path = join(dataDir, "pg_wal", historyFileName(branch.timeline));
  const last = parseHistory((await readIfPresent(path)) ?? "").at(-1);
  return last === undefined ? branch : { ...branch, parent: last.timeline, forkLsn: last.endLsn };
}

async function promoteThrough(
  place: Place,
  session: Session,
  { branch, timeoutMs, signal }: PromoteOptions,
): Promise<number> {
  const { clock, dataDir, user } = place;
  const attempt = `promoting to timeline ${branch.timeline}`;
  const already = await timelineOf(session);
  if (already !== undefined) return already;
  const { parent: current, timeline: target } = branch;
  if (!(await reserveNumbers({ dataDir, current, target, owner: user }))) {
    const why = `timeline ${branch.timeline} is taken or does not follow ${branch.parent}`;
    throw new AppError("PG_PROMOTE_FAILED", attempt, why);
  }
  await session.query("SELECT pg_promote(wait => false)", [], STATEMENT_LIMIT_MS);
  const limit = after(clock.now(), timeoutMs);
  for (;;) {
    const timeline = await timelineOf(session);
    if (timeline !== undefined) return timeline;
    signal.throwIfAborted();
    if (clock.now() >= limit) {
      throw new AppError("PG_PROMOTE_FAILED", attempt, `still in recovery after ${timeoutMs} ms`);
    }
    await clock.sleep(POLL_MS);
  }
}

/** The timeline that new WAL is written on; the control file learns it only at the next checkpoint. */
async function timelineOf(session: Session): Promise<number | undefined> {
  const [row] = await session.query(WHERE, [], STATEMENT_LIMIT_MS);
  const file = row?.["file"];
  return typeof file === "string" ? Number.parseInt(file.slice(0, 8), 16) : undefined;
}

/** After a promotion that failed, the next start by anybody is a standby's (R16). */
async function demoteOnDisk({ dataDir, user }: Place): Promise<void> {
  await writeDurably(signalPath(dataDir), "", { owner: user });
}

/** Those who rewind to us read the control file, which knows the new timeline only after a checkpoint. */
function checkpointInBackground({ settings, log }: Place): void {
  const target = localTarget(settings.postgres);
  void withSession(target, STATEMENT_LIMIT_MS, (session) =>
    session.query("CHECKPOINT", [], CHECKPOINT_LIMIT_MS),
  ).catch((error: unknown) => log.debug("no checkpoint after the promotion", { error }));
}
