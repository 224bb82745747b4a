// One restore from its first byte to its last check, with what was seen on the way.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readControlFile } from "../adapters/postgres/control-data.ts";
import { withSession } from "../adapters/postgres/session.ts";
import type { RestorePlan } from "../backup/restore-plan.ts";
import type { DrillCheck, DrillOutcome, DrillPhase, LastCommit } from "../model/drill.ts";
import { AppError } from "../model/error.ts";
import { type Lsn, printLsn } from "../model/lsn.ts";
import { printTarget } from "../model/restore-target.ts";
import type { NodeSettings } from "../model/settings.ts";
import { historyFileName, parseHistory } from "../model/timeline.ts";
import { filesOf } from "../model/wal-window.ts";
import type { Progress } from "../model/worker.ts";
import { CANARY_SEGMENTS, findLastCommit } from "./canary.ts";
import { checkCanary, checkChecksums, checkQuery, checkStructure } from "./checks.ts";
import { type CopyServer, startCopy } from "./copy-server.ts";
import type { Scratch } from "./scratch.ts";

/** Filled as it goes, so that a failure leaves what was seen before it. */
export interface Rehearsal {
  readonly phases: DrillPhase[];
  readonly checks: DrillCheck[];
  recovered?: { readonly lsn: Lsn; readonly timeline: number; readonly lastCommit?: LastCommit };
  rtoMs?: number;
  failure?: AppError;
}

export interface RehearsalOptions {
  readonly scratch: Scratch;
  readonly settings: NodeSettings;
  readonly plan: RestorePlan;
  readonly restore: () => Promise<void>;
  readonly progress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

const ASK_LIMIT_MS = 10_000;

export async function rehearse(options: RehearsalOptions, seen: Rehearsal): Promise<void> {
  const { plan, progress, restore, scratch, settings, signal } = options;
  const { dataDir } = scratch;
  const begun = performance.now();
  await timed(seen, "restore", restore);
  const areChecksumsOn = (await readControlFile(dataDir))?.dataChecksums === true;
  progress({ step: `recovering to ${printTarget(plan.target)}` });
  const keepBytes = (CANARY_SEGMENTS + 1) * plan.backup.record.segmentBytes;
  const server = await timed(seen, "recover", () =>
    startCopy(scratch, { settings, keepBytes, signal }),
  );
  seen.rtoMs = Math.round(performance.now() - begun);
  await timed(seen, "check", () => check(options, server, seen));
  progress({ step: "stopping the copy" });
  await timed(seen, "stop", () => server.stop(signal));
  progress({ step: "reading every page" });
  await timed(seen, "check", async () => {
    seen.checks.push(await checkChecksums({ dataDir, settings, signal }, areChecksumsOn));
  });
}

/** A drill passes when it came to its end and no check failed. What was not checked is said, and proves nothing. */
export function verdictOn({ checks, failure }: Rehearsal): {
  readonly outcome: DrillOutcome;
  readonly why?: string;
} {
  if (failure !== undefined) return { outcome: "failed", why: failure.message };
  const failed = checks.filter(({ outcome }) => outcome === "failed");
  if (failed.length === 0) return { outcome: "passed" };
  return { outcome: "failed", why: failed.map(({ name, why }) => `${name}: ${why}`).join("; ") };
}

async function check(
  { plan, progress, scratch: { dataDir }, settings, signal }: RehearsalOptions,
  server: CopyServer,
  seen: Rehearsal,
): Promise<void> {
  const end = await recoveredEnd(server, dataDir);
  seen.recovered = end;
  seen.checks.push(checkReached(plan, end.lsn));
  progress({ step: "looking for the last transaction" });
  const lastCommit = await findLastCommit({
    dataDir,
    segments: plan.wal === undefined ? [] : filesOf(plan.wal.window),
    segmentBytes: plan.backup.record.segmentBytes,
    endLsn: end.lsn,
    settings,
    signal,
  });
  if (lastCommit !== undefined) seen.recovered = { ...end, lastCommit };
  const checking = { server, dataDir, settings, signal };
  seen.checks.push(await checkCanary(checking, lastCommit));
  for (const query of settings.backup?.drill.queries ?? []) {
    progress({ step: `asking ${query.name}` });
    seen.checks.push(await checkQuery(checking, query));
  }
  progress({ step: "reading every table and index" });
  seen.checks.push(await checkStructure(checking, settings.backup?.drill.amcheck ?? true));
}

/** A copy that was promoted says in its history file where it left what was replayed. */
async function recoveredEnd(server: CopyServer, dataDir: string) {
  const sql = "SELECT pg_walfile_name(pg_current_wal_insert_lsn()) AS name";
  const [row] = await withSession(server.target, ASK_LIMIT_MS, (session) =>
    session.query(sql, [], ASK_LIMIT_MS),
  );
  const timeline = Number.parseInt(String(row?.["name"]).slice(0, 8), 16);
  const file = join(dataDir, "pg_wal", historyFileName(timeline));
  const last = parseHistory(await readFile(file, "utf8")).at(-1);
  if (last !== undefined) return { lsn: last.endLsn, timeline: last.timeline };
  throw new AppError("RESTORE_FAILED", "reading where recovery ended", `${file} says nothing`);
}

/** PostgreSQL itself refuses to come up before a target that is not reached; this is the second look. */
function checkReached({ backup: { record }, target }: RestorePlan, endLsn: Lsn): DrillCheck {
  const wanted = target.kind === "lsn" ? target.lsn : record.stopLsn;
  const why = `it came up at ${printLsn(endLsn)}, target ${printTarget(target)}`;
  return { name: "target", outcome: endLsn >= wanted ? "passed" : "failed", why };
}

async function timed<T>(
  { phases }: Rehearsal,
  name: DrillPhase["name"],
  work: () => Promise<T>,
): Promise<T> {
  const begun = performance.now();
  try {
    return await work();
  } finally {
    phases.push({ name, tookMs: Math.round(performance.now() - begun) });
  }
}
