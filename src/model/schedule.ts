// When is which job due, and whose turn is it? Pure: schedules, what was run, and the moment in.
//
// A schedule is a row of moments that every node computes alike, from 1970 on. The newest that has passed counts and no
// other, so that whatever was missed is made up for once. What has a window is tried once within it, or not at all.
import type { Ms } from "./time.ts";

export interface Schedule {
  readonly periodMs: Ms;
  /** One moment of the row, in wall-clock milliseconds; the others lie whole periods away. */
  readonly anchorMs: number;
  /** As it was written: "every 6h", "at 02:30 on sunday". */
  readonly text: string;
  /** So long after its moment it may begin, once; undefined: what was missed is made up for, and a failure is tried again. */
  readonly windowMs?: Ms;
}

/** Of one job, as the node's file has it. */
export interface JobSchedule extends Schedule {
  /** Of dumps: which databases. */
  readonly databases: readonly string[];
}

export interface Schedules {
  /** By the names of `model/schedule-jobs.ts`. */
  readonly jobs: Readonly<Record<string, JobSchedule>>;
  /** A pause of the cluster holds the jobs back. */
  readonly waitInPause: boolean;
}

/** One attempt at one moment of a schedule. Times are the runner's wall clock in milliseconds. */
export interface RunNote {
  readonly dueMs: number;
  /** From 1 on. */
  readonly attempt: number;
  readonly by: string;
  readonly startedAtMs: number;
  readonly endedAtMs?: number | undefined;
  /** `handed-on`: its node left before the end, and another one is to go on at once. `skipped`: it was not for then. */
  readonly outcome: "running" | "done" | "failed" | "handed-on" | "skipped";
  readonly why?: string | undefined;
}

export interface JobRecord {
  readonly last: RunNote;
  /** When it was begun for the first time of all. */
  readonly firstMs?: number | undefined;
  /** When it last ended well. */
  readonly doneMs?: number | undefined;
}

/** What the store knows of all jobs, by name. */
export type ScheduleRecord = Readonly<Record<string, JobRecord>>;

/** So often is one moment of a schedule tried before it is left to the next. */
export const MOST_ATTEMPTS = 3;
const RETRY_AFTER_MS: Ms = 600_000;
/** A record that lies further ahead was written by a clock that is wrong, and says nothing. */
const CLOCK_TOLERANCE_MS: Ms = 3_600_000;
/** How often one looks whether the runner still runs. */
export const LOOK_WHILE_RUNNING_MS: Ms = 30_000;
/** Clusters whose schedules read alike do not all come to a store at once. */
const MOST_JITTER_MS: Ms = 300_000;

/** The newest moment of the row that has passed. */
export const latestMoment = ({ periodMs, anchorMs }: Schedule, nowMs: number): number =>
  Math.floor((nowMs - anchorMs) / periodMs) * periodMs + anchorMs;

export const nextMoment = (schedule: Schedule, nowMs: number): number =>
  latestMoment(schedule, nowMs) + schedule.periodMs;

/** The same row a little later: by up to a tenth of its period, always the same for one name. */
export function withJitter(schedule: Schedule, name: string): Schedule {
  const most = Math.min(MOST_JITTER_MS, schedule.periodMs / 10);
  return { ...schedule, anchorMs: schedule.anchorMs + Math.floor(shareOf(name) * most) };
}

/** A number from 0 to 1 that depends on nothing but the text (FNV-1a). */
function shareOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash / 2 ** 32;
}

export interface ScheduledJob {
  readonly name: string;
  readonly schedule: Schedule;
  /** Since when this node has it so, by its wall clock: what has a window begins at no moment from before. */
  readonly sinceMs?: number | undefined;
}

export interface DueJob {
  readonly name: string;
  readonly dueMs: number;
  readonly attempt: number;
  /** Why this moment is over: it is only to be noted. */
  readonly missed?: string;
}

export type Turn =
  | { readonly kind: "due"; readonly job: DueJob }
  /** Nothing to do before then, on this node's wall clock. */
  | { readonly kind: "wait"; readonly untilMs: number };

export interface TurnBasis {
  /** In the order in which they go first when several are due. */
  readonly jobs: readonly ScheduledJob[];
  readonly record: ScheduleRecord;
  /** Somebody runs a job just now. */
  readonly isHeld: boolean;
  /** Of each job the newest moment that this node has seen run: a record of a wrong clock does not hide it. */
  readonly seen: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

/** The first job that is due, or how long to wait for one. */
export function planTurn(basis: TurnBasis): Turn {
  const { jobs, isHeld, nowMs } = basis;
  if (isHeld) return { kind: "wait", untilMs: nowMs + LOOK_WHILE_RUNNING_MS };
  let untilMs = Number.POSITIVE_INFINITY;
  for (const job of jobs) {
    const turn = turnOf(job, basis);
    if (turn.kind === "due") return turn;
    untilMs = Math.min(untilMs, turn.untilMs);
  }
  return { kind: "wait", untilMs };
}

function turnOf(
  { name, schedule, sinceMs }: ScheduledJob,
  { record, seen, nowMs }: TurnBasis,
): Turn {
  const latest = latestMoment(schedule, nowMs);
  const last = believable(record[name]?.last, nowMs);
  const wait = (untilMs: number): Turn => ({ kind: "wait", untilMs });
  const due = (attempt: number): Turn => ({ kind: "due", job: { name, dueMs: latest, attempt } });
  const known = Math.max(last?.dueMs ?? -Infinity, seen.get(name) ?? -Infinity);
  const { windowMs } = schedule;
  if (windowMs !== undefined)
    return turnInWindow({ name, schedule, sinceMs, windowMs }, { last, known, nowMs });
  if (latest > known) return due(1);
  if (last === undefined || last.dueMs < known) return wait(nextMoment(schedule, known));
  const next = nextMoment(schedule, Math.max(known, nowMs));
  switch (last.outcome) {
    case "done":
      return wait(next);
    case "handed-on":
      return due(last.attempt);
    // Nobody holds it, so whoever ran it is gone.
    case "running":
      return last.attempt < MOST_ATTEMPTS ? due(last.attempt + 1) : wait(next);
    case "failed": {
      if (last.attempt >= MOST_ATTEMPTS) return wait(next);
      const at = (last.endedAtMs ?? nowMs) + Math.min(RETRY_AFTER_MS, schedule.periodMs / 2);
      return nowMs >= at ? due(last.attempt + 1) : wait(Math.min(at, next));
    }
    case "skipped":
      return wait(next);
    default:
      return last.outcome satisfies never;
  }
}

interface Before {
  readonly last: RunNote | undefined;
  /** The newest moment that is known to have been run; -Infinity: none. */
  readonly known: number;
  readonly nowMs: number;
}

interface Windowed extends ScheduledJob {
  readonly windowMs: Ms;
}

/** One attempt at each moment. One that nobody knew of while it was new is nobody's: it was not in the file then. */
function turnInWindow(
  { name, schedule, sinceMs = -Infinity, windowMs }: Windowed,
  { last, known, nowMs }: Before,
): Turn {
  const latest = latestMoment(schedule, nowMs);
  const wait = (untilMs: number): Turn => ({ kind: "wait", untilMs });
  const due = (dueMs: number, missed: Pick<DueJob, "missed"> = {}): Turn => ({
    kind: "due",
    job: { name, dueMs, attempt: 1, ...missed },
  });
  if (last?.outcome === "running" && last.dueMs === known)
    return due(known, { missed: `${last.by} ran it and is gone` });
  if (latest <= known) return wait(nextMoment(schedule, Math.max(known, nowMs)));
  const isOpen = nowMs - latest <= windowMs;
  if (isOpen && latest >= sinceMs) return due(latest);
  if (isOpen) return wait(latest + windowMs + 1);
  if (known === -Infinity) return wait(nextMoment(schedule, nowMs));
  return due(latest, { missed: "nobody could begin it in its window" });
}

const believable = (note: RunNote | undefined, nowMs: number): RunNote | undefined =>
  note !== undefined && note.dueMs <= nowMs + CLOCK_TOLERANCE_MS ? note : undefined;

/** What is written when a run begins. */
export const begun = (
  record: ScheduleRecord,
  { name, dueMs, attempt }: DueJob,
  { by, nowMs }: { readonly by: string; readonly nowMs: number },
): ScheduleRecord => ({
  ...record,
  [name]: {
    ...record[name],
    firstMs: record[name]?.firstMs ?? nowMs,
    last: { dueMs, attempt, by, startedAtMs: nowMs, outcome: "running" },
  },
});

export type Ending =
  | { readonly outcome: "done" }
  | { readonly outcome: "failed" | "handed-on" | "skipped"; readonly why: string };

/** What is written when it has ended. */
export function ended(
  record: ScheduleRecord,
  name: string,
  { nowMs, ending }: { readonly nowMs: number; readonly ending: Ending },
): ScheduleRecord {
  const job = record[name];
  if (job === undefined) return record;
  const { outcome } = ending;
  const why = ending.outcome === "done" ? {} : { why: ending.why };
  const { why: _, ...about } = job.last;
  const last: RunNote = { ...about, endedAtMs: nowMs, outcome, ...why };
  return { ...record, [name]: { ...job, last, ...(outcome === "done" ? { doneMs: nowMs } : {}) } };
}

/** One line for each job that does not do what it should; empty when all do. */
export function scheduleWarnings(
  jobs: readonly ScheduledJob[],
  record: ScheduleRecord,
  nowMs: number,
): readonly string[] {
  return jobs.flatMap(({ name, schedule }) => {
    const job = record[name];
    const { last, firstMs, doneMs } = job ?? {};
    const sinceMs = doneMs ?? firstMs;
    if (last?.outcome === "failed")
      return [`the scheduled ${name} failed on ${last.by}: ${last.why ?? "it does not say why"}`];
    const isLate =
      sinceMs !== undefined && nowMs - sinceMs > 2 * schedule.periodMs + RETRY_AFTER_MS;
    if (!isLate) return [];
    const why =
      last?.outcome === "skipped" ? `; skipped: ${last.why ?? "it does not say why"}` : "";
    return [`the scheduled ${name} has not ended well for two of its periods${why}`];
  });
}
