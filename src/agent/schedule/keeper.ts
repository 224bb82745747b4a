// Who runs what the schedule says? Every node looks when something is due; one of them claims it, and runs it here.
//
// Between two moments nothing happens at all: one timer, to the next of them.
import type { HaWorld } from "../../controllers/ha/world.ts";
import type { SeenTurns, Turns } from "../../dcs/turns.ts";
import { AppError, asAppError } from "../../model/error.ts";
import {
  begun,
  type DueJob,
  type Ending,
  ended,
  nextMoment,
  planTurn,
  type ScheduledJob,
  type ScheduleRecord,
  scheduleWarnings,
} from "../../model/schedule.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import { printRfc3339 } from "../../model/wire/rfc3339.ts";
import type { ScheduledJson, ScheduleJson } from "../../model/wire/schedule.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Random } from "../../ports/random.ts";
import { placeIn } from "./place.ts";

/** A job as this node's file has it. */
export interface PlannedJob extends ScheduledJob {
  readonly about: string;
  /** A pause of the cluster holds it back. */
  readonly waitsInPause: boolean;
  /** Runs it on this node. Throws what it failed with, or the signal's reason once it has ended. */
  readonly carryOut: (signal: AbortSignal) => Promise<Ending>;
}

export interface KeeperOptions {
  readonly name: string;
  /** In the order in which they go first when several are due. */
  readonly jobs: readonly PlannedJob[];
  readonly turns: Turns;
  readonly onEnded: (job: string, ending: Ending) => void;
  readonly clock: Clock;
  readonly random: Pick<Random, "leaseId">;
  readonly log: Log;
}

const TTL_MS: Ms = 30_000;
/** Of it one believes in less, since the store counts from when it heard. */
const BELIEF_MS: Ms = 24_000;
const CALL_LIMIT_MS: Ms = 5_000;
const RETRY_MS: Ms = 30_000;
/** The clock may be set meanwhile, and the host may sleep. */
const LONGEST_SLEEP_MS: Ms = 3_600_000;
const END_TRIES = 5;

export class ScheduleKeeper {
  readonly #o: KeeperOptions;
  readonly #ending = new AbortController();
  #jobs: readonly PlannedJob[] = [];
  #world: HaWorld | undefined;
  #record: ScheduleRecord = {};
  #seen = new Map<string, number>();
  /** What was due when this node first saw it, and since when. */
  #due: { readonly key: string; readonly since: Instant } | undefined;
  #waking = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#o = options;
    this.reconfigure(options.jobs);
  }

  start(): void {
    this.#loop = this.#live();
  }

  /** The node's file was read again. */
  reconfigure(jobs: readonly PlannedJob[]): void {
    const nowMs = this.#o.clock.wallMs();
    this.#jobs = jobs.map((job) => {
      const before = this.#jobs.find(({ name }) => name === job.name);
      const isSame = before !== undefined && isSameRow(before, job);
      return { ...job, sinceMs: isSame ? (before.sinceMs ?? nowMs) : nowMs };
    });
    this.#waking.abort();
  }

  onLook(world: HaWorld): void {
    this.#world = world;
  }

  /** What goes wrong, as far as this node has seen. */
  warnings(): readonly string[] {
    return scheduleWarnings(this.#jobs, this.#record, this.#o.clock.wallMs());
  }

  /** Asks the store. Throws STORE_… */
  async view(): Promise<ScheduleJson> {
    const { record, runner } = this.#remember(await this.#o.turns.read(CALL_LIMIT_MS));
    return {
      apiVersion: "understudy/v1",
      kind: "Schedule",
      asOf: printRfc3339(this.#o.clock.wallMs()),
      member: this.#o.name,
      ...(runner === undefined ? {} : { runner }),
      warnings: this.warnings(),
      items: this.#jobs.map((job) => this.#itemOf(job, record)),
    };
  }

  /** Ends what it runs, tells the others that they may go on with it, and waits until that is done. */
  async close(): Promise<void> {
    this.#ending.abort(new AppError("CANCELLED", "running a scheduled job", "the agent leaves"));
    this.#waking.abort();
    await this.#loop;
  }

  #itemOf(job: PlannedJob, record: ScheduleRecord): ScheduledJson {
    const { name, about, schedule } = job;
    const { last, doneMs } = record[name] ?? {};
    const nowMs = this.#o.clock.wallMs();
    const basis = { jobs: [job], record, isHeld: false, seen: this.#seen, nowMs };
    const turn = planTurn(basis);
    const isDue = turn.kind === "due" && turn.job.missed === undefined;
    const isRunning = last?.outcome === "running";
    return {
      job: name,
      about,
      when: schedule.text,
      nextMs: isDue && !isRunning ? nowMs : nextOf(turn, schedule, nowMs),
      ...(last === undefined ? {} : { last }),
      ...(doneMs === undefined ? {} : { doneMs }),
    };
  }

  async #live(): Promise<void> {
    const { clock, log } = this.#o;
    while (!this.#ending.signal.aborted) {
      this.#waking = new AbortController();
      let waitMs: Ms = LONGEST_SLEEP_MS;
      try {
        if (this.#jobs.length > 0) waitMs = await this.#round();
      } catch (error) {
        log.debug("the schedule could not be looked at", { error });
        waitMs = RETRY_MS;
      }
      if (this.#ending.signal.aborted) return;
      await clock
        .sleep(Math.max(0, Math.min(waitMs, LONGEST_SLEEP_MS)), this.#waking.signal)
        .catch(() => undefined);
    }
  }

  /** Looks once, and runs what is due and this node's. Answers how long there is nothing to do. */
  async #round(): Promise<Ms> {
    const { turns, clock } = this.#o;
    const seen = this.#remember(await turns.read(CALL_LIMIT_MS));
    const nowMs = clock.wallMs();
    const { record, runner } = seen;
    const isHeld = runner !== undefined;
    const turn = planTurn({ jobs: this.#jobs, record, isHeld, seen: this.#seen, nowMs });
    if (turn.kind === "wait") return turn.untilMs - nowMs;
    const place = this.#place(turn.job);
    if (place === undefined) return RETRY_MS;
    const leftMs = this.#leaveToOthers(turn.job, place);
    if (leftMs > 0) return leftMs;
    await this.#claim(seen, turn.job);
    return 0;
  }

  /** Undefined also in a pause that holds it back. */
  #place({ name }: DueJob): Ms | undefined {
    const isPaused = this.#world?.config.paused === true;
    if (isPaused && this.#planned(name)?.waitsInPause === true) return undefined;
    return placeIn(this.#world);
  }

  #planned(name: string): PlannedJob | undefined {
    return this.#jobs.find((job) => job.name === name);
  }

  /** What is left of the time for which a better node is waited for, counted from when it was first seen due. */
  #leaveToOthers({ name, dueMs, attempt }: DueJob, placeMs: Ms): Ms {
    const now = this.#o.clock.now();
    const key = `${name} ${dueMs} ${attempt}`;
    if (this.#due?.key !== key) this.#due = { key, since: now };
    return between(now, after(this.#due.since, placeMs));
  }

  #remember(seen: SeenTurns): SeenTurns {
    this.#record = seen.record;
    const latest = this.#o.clock.wallMs();
    for (const [name, { last }] of Object.entries(seen.record)) {
      if (last.dueMs <= latest)
        this.#seen.set(name, Math.max(last.dueMs, this.#seen.get(name) ?? -Infinity));
    }
    return seen;
  }

  async #claim(seen: SeenTurns, job: DueJob): Promise<void> {
    const { turns, clock, random, name, log, onEnded } = this.#o;
    const leaseId = random.leaseId();
    const claimedAt = clock.now();
    const record = begun(seen.record, job, { by: name, nowMs: clock.wallMs() });
    const claim = { name, leaseId, ttlMs: TTL_MS, record };
    const number = await turns.claim(seen, claim, CALL_LIMIT_MS);
    if (number === undefined) return;
    log.info("a scheduled job begins", { job: job.name, attempt: job.attempt });
    const ending = await this.#carryOut(job, { leaseId, claimedAt });
    const result = ended(record, job.name, { nowMs: clock.wallMs(), ending });
    this.#remember({ ...seen, record: result });
    onEnded(job.name, ending);
    if (ending.outcome === "done") log.info("a scheduled job is done", { job: job.name });
    else log.warn("a scheduled job has not ended well", { job: job.name, why: ending.why });
    await this.#tell(number, result);
  }

  /** An end that cannot be told counts as that of a runner that died: another node goes on. */
  async #tell(number: number, record: ScheduleRecord): Promise<void> {
    const { turns, clock, log } = this.#o;
    const most = this.#ending.signal.aborted ? 1 : END_TRIES;
    for (let tries = 1; tries <= most; tries += 1) {
      try {
        const outcome = await turns.end(number, record, CALL_LIMIT_MS);
        if (outcome === "refused") log.warn("another node has gone on with a scheduled job");
        return;
      } catch (error) {
        log.debug("the end of a scheduled job could not be told", { error });
      }
      await clock.sleep(1_000);
    }
  }

  /** For as long as the claim holds. */
  async #carryOut({ name, missed }: DueJob, claim: Claimed): Promise<Ending> {
    const planned = this.#planned(name);
    if (missed !== undefined) return { outcome: "skipped", why: missed };
    if (planned === undefined)
      return { outcome: "handed-on", why: "it is not in the file of this node any more" };
    const stop = new AbortController();
    const leave = (): void => stop.abort(this.#ending.signal.reason);
    this.#ending.signal.addEventListener("abort", leave, { once: true });
    if (this.#ending.signal.aborted) leave();
    const keeping = this.#keepClaim(claim, stop);
    try {
      return await planned.carryOut(stop.signal);
    } catch (error) {
      const why = asAppError(error, "NOT_POSSIBLE", `running ${name}`).message;
      return { outcome: this.#ending.signal.aborted ? "handed-on" : "failed", why };
    } finally {
      this.#ending.signal.removeEventListener("abort", leave);
      stop.abort(new AppError("CANCELLED", "keeping a claim", "its job has ended"));
      await keeping;
    }
  }

  /** Who cannot say for sure that the claim still holds runs no longer: another node may have begun. */
  async #keepClaim({ leaseId, claimedAt }: Claimed, stop: AbortController): Promise<void> {
    const { turns, clock } = this.#o;
    let believedUntil = after(claimedAt, BELIEF_MS);
    while (!stop.signal.aborted) {
      await clock.sleep(TTL_MS / 6, stop.signal).catch(() => undefined);
      if (stop.signal.aborted) return;
      const askedAt = clock.now();
      const answer = await turns.keep(leaseId, CALL_LIMIT_MS).catch(() => "unknown" as const);
      if (answer === "alive") believedUntil = after(askedAt, BELIEF_MS);
      if (answer === "gone" || clock.now() > believedUntil)
        stop.abort(new AppError("CANCELLED", "running a scheduled job", "the claim was lost"));
    }
  }
}

interface Claimed {
  readonly leaseId: string;
  readonly claimedAt: Instant;
}

const isSameRow = ({ schedule: a }: ScheduledJob, { schedule: b }: ScheduledJob): boolean =>
  a.periodMs === b.periodMs && a.anchorMs === b.anchorMs;

const nextOf = (
  turn: ReturnType<typeof planTurn>,
  schedule: ScheduledJob["schedule"],
  nowMs: number,
): number => (turn.kind === "wait" ? turn.untilMs : nextMoment(schedule, nowMs));
