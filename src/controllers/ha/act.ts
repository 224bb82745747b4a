// How does the ha room carry out a step? One verb each; those that need the lease look once more before they act.
import { printBytes } from "../../model/amounts.ts";
import { AppError } from "../../model/error.ts";
import { isValid } from "../../model/lease.ts";
import type { Lsn } from "../../model/lsn.ts";
import { after } from "../../model/time.ts";
import type { Progress } from "../../ports/postgres.ts";
import { actOnBootstrap } from "./act-bootstrap.ts";
import { actOnLease, writeAsLeader } from "./act-leader.ts";
import { actOnPause, isPauseStep } from "./act-pause.ts";
import { actOnSlots, isSlotStep } from "./act-slots.ts";
import { actOnSync, isSyncStep } from "./act-sync.ts";
import type { ActOptions } from "./acting.ts";
import {
  CRASH_SCAN_MS,
  GATE_PROOF_MS,
  HEIR_LIMIT_MS,
  HEIR_POLL_MS,
  KILL_GRACE_MS,
  KILL_LIMIT_MS,
  LEASE_NEEDED_MS,
  WRITE_LIMIT_MS,
} from "./limits.ts";
import type { HaStep } from "./steps.ts";

const progressText = (p: Progress): string =>
  p.totalBytes === undefined || p.doneBytes === undefined
    ? p.phase
    : `${p.phase} ${printBytes(p.doneBytes)} of ${printBytes(p.totalBytes)}, ${percent(p.doneBytes, p.totalBytes)} %`;

/** pg_basebackup's total is an estimate that the copy may outgrow. */
const percent = (done: number, total: number): number =>
  total === 0 ? 100 : Math.min(100, Math.floor((100 * done) / total));

const told = (onProgress: (text: string) => void) => (p: Progress) => onProgress(progressText(p));

/** Carries out one step; what it answers becomes the outcome's result. */
export async function act(
  o: ActOptions,
  step: HaStep,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<unknown> {
  if (isSyncStep(step)) return actOnSync(o, step, signal);
  if (isPauseStep(step)) return actOnPause(o, step, signal);
  if (isAboutWords(step)) return tidyWords(o, step);
  switch (step.kind) {
    case "ensure-fence":
      await o.fence.ensure(signal);
      return o.fence.adopt(o.lease.view().leaseId, signal);
    case "disarm":
      return o.fence.disarm(signal);
    case "publish":
      return o.dcs.publishMember(step.member, o.lease.view().leaseId, WRITE_LIMIT_MS);
    case "write-status":
    case "write-history":
    case "write-roster":
    case "record-fork":
    case "reserve":
      return writeAsLeader(o, step);
    case "apply-settings":
      return o.postgres.applySettings(step.plan, signal);
    case "checkpoint":
      return o.postgres.checkpoint(signal);
    case "record-lineage":
      return o.postgres.recordLineage(step.lineage, signal);
    case "clone":
      return o.postgres.clone(step.from, step.lineage, told(onProgress), signal);
    case "rewind":
      return o.postgres.rewind(step.from, step.lineage, told(onProgress), signal);
    case "start-standby":
      return undoneByKill(
        o,
        o.postgres.startStandby(step.plan, step.upstream, step.timeoutMs, signal),
      );
    case "start-primary":
      needLease(o, step.term);
      return undoneByKill(o, o.postgres.startPrimary(step.plan, step.timeoutMs, signal));
    case "stop":
      return stop(o, step, signal);
    case "kill":
      return kill(o, signal);
    case "close-gate":
      return closeGate(o, signal);
    case "open-gate":
      return o.postgres.setSyncNames({ kind: "unmanaged" }, signal);
    case "follow":
      return o.postgres.follow(step.upstream, signal);
    case "find-crash-end":
      return o.postgres.crashEnd(step.from, step.lineage, CRASH_SCAN_MS, signal);
    case "promote":
      return promote(o, step, signal);
    case "acquire":
      await o.fence.ensure(signal);
      return o.lease.acquire(step.basis);
    case "adopt":
    case "release":
    case "drop-lease":
    case "remove-stale-leader":
      return actOnLease(o, step);
    default:
      if (isSlotStep(step)) return actOnSlots(o, step, signal);
      return actOnBootstrap(o, step, told(onProgress), signal);
  }
}

/** A person's word that is fulfilled, over or lost. */
type WordStep = Extract<HaStep, { kind: "clear-failover" | "end-pause" | "restore-config" }>;
const isAboutWords = (step: HaStep): step is WordStep =>
  step.kind === "clear-failover" || step.kind === "end-pause" || step.kind === "restore-config";

/** Who has spoken meanwhile is not contradicted. */
const tidyWords = ({ dcs }: ActOptions, step: WordStep): Promise<unknown> =>
  step.kind === "clear-failover"
    ? dcs.writeFailover(undefined, step.revision, WRITE_LIMIT_MS)
    : dcs.writeConfig(step.json, step.revision, WRITE_LIMIT_MS);

/** R33: written, then proven on every process of the server (R20). */
async function closeGate(o: ActOptions, signal: AbortSignal): Promise<unknown> {
  await o.postgres.setSyncNames({ kind: "closed" }, signal);
  return o.postgres.proveClosed(GATE_PROOF_MS, signal);
}

/** Check at the place of use: the lease must be of this term, live, and known to the fence (R16, S5). */
function needLease(o: ActOptions, term: number): void {
  const now = o.clock.now();
  const held = o.lease.view().held;
  if (!isValid(held, after(now, LEASE_NEEDED_MS)) || held.term !== term) {
    throw new AppError(
      "LEASE_LOST",
      "open the server to writes",
      `term ${term} is not held long enough`,
    );
  }
  const { armed, alive } = o.fence.status();
  if (!alive || armed?.term !== term || armed.until <= now) {
    throw new AppError(
      "FENCE_UNARMED",
      "open the server to writes",
      `the fence is not armed for term ${term}`,
    );
  }
}

/** A server that failed to start or to be promoted is ended, so that nothing half open is left behind. */
async function undoneByKill<T>(o: ActOptions, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    using limit = o.clock.deadline(KILL_LIMIT_MS);
    await o.fence.killServer(KILL_GRACE_MS, KILL_LIMIT_MS, limit.signal);
    throw error;
  }
}

async function promote(
  o: ActOptions,
  step: Extract<HaStep, { kind: "promote" }>,
  signal: AbortSignal,
): Promise<void> {
  // It may take its time, so the lease is looked at behind it; until then the server is an untouched standby.
  await o.postgres.beforePromote(signal);
  needLease(o, step.term);
  await undoneByKill(o, o.postgres.promote(step.branch, step.timeoutMs, signal));
}

async function stop(
  o: ActOptions,
  step: Extract<HaStep, { kind: "stop" }>,
  signal: AbortSignal,
): Promise<void> {
  const { heirApiUrl } = step;
  // While writes still run, the larger part of the shutdown checkpoint is done ahead of the pause.
  if (heirApiUrl !== undefined) await o.postgres.checkpoint(signal).catch(() => undefined);
  const waitForHeir =
    heirApiUrl === undefined ? undefined : (end: Lsn) => untilHeirHas(o, heirApiUrl, end, signal);
  await o.postgres.stop(step.timeoutMs, waitForHeir, signal);
}

/** Gives the walsenders the time to bring the last byte to the heir; the decision about it is made later. */
async function untilHeirHas(
  o: ActOptions,
  apiUrl: string,
  end: Lsn,
  signal: AbortSignal,
): Promise<void> {
  const limit = after(o.clock.now(), HEIR_LIMIT_MS);
  while (o.clock.now() < limit && !signal.aborted) {
    const answer = await o.peers.ask(apiUrl, KILL_GRACE_MS);
    if (
      answer.kind === "known" &&
      answer.value.position !== undefined &&
      answer.value.position >= end
    )
      return;
    await o.clock.sleep(HEIR_POLL_MS, signal);
  }
}

async function kill(o: ActOptions, signal: AbortSignal): Promise<unknown> {
  const report = await o.fence.killServer(KILL_GRACE_MS, KILL_LIMIT_MS, signal);
  if (!report.down)
    throw new AppError(
      "PG_STOP_TIMEOUT",
      "end every process of the server",
      `${report.remaining} remain`,
    );
  return report;
}
