// One look at everything: directory, control file, processes, SQL. It never throws and never waits for ever.
import { type Known, known, unknown } from "../../model/known.ts";
import {
  isTooLittle,
  type LocalServer,
  type PendingRestart,
  type SqlState,
} from "../../model/server.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { ServerPlan } from "../../ports/postgres.ts";
import { DataLook, type DataSeen, NOTHING } from "./data-look.ts";
import { isOnCommandLine } from "./parameters.ts";
import type { Place } from "./place.ts";
import { isReplaced, ProcessWatch } from "./process.ts";
import { localTarget, refusalOf, Session } from "./session.ts";
import { LOOK, type Look, readLook } from "./sql.ts";

/** Parameters that wait for a restart change seldom, and asking for them reads the whole list. */
const PENDING_EVERY_MS: Ms = 10_000;

export class Observer {
  readonly #place: Place;
  readonly #processes: ProcessWatch;
  readonly #data: DataLook;
  #files: DataSeen = NOTHING;
  #reading: Promise<DataSeen> | undefined;
  #session: Session | undefined;
  #asking: Promise<Known<SqlState>> | undefined;
  /** What the last attempt to ask was answered, if it was refused. */
  #refusal: ReturnType<typeof refusalOf>;
  #pending: readonly PendingRestart[] = [];
  #pendingAt: Instant | undefined;
  #isDiskFull = false;

  constructor(place: Place) {
    this.#place = place;
    this.#processes = new ProcessWatch(place);
    this.#data = new DataLook(place);
  }

  async look(plan: ServerPlan, timeoutMs: Ms): Promise<LocalServer> {
    const { clock } = this.#place;
    const limit = after(clock.now(), timeoutMs);
    const files = await this.#withinLimit(this.#readFiles(plan), limit, this.#files);
    const before = this.#safely(() => this.#processes.look(() => this.#refusal));
    const left = Math.max(1, between(clock.now(), limit));
    const sql =
      before.kind === "running"
        ? await this.#withinLimit(this.#ask(plan, left), limit, this.#late(timeoutMs))
        : unknown<SqlState>(`the server is ${before.kind}`, clock.now());
    if (before.kind !== "running") this.forget();
    const process =
      before.kind === "running"
        ? this.#safely(() => this.#processes.again(before, () => this.#refusal))
        : before;
    return {
      directory: files.directory,
      control: files.control,
      process,
      sql,
      lineage: files.lineage,
      standbySignal: files.standbySignal,
      settingsStale: files.settingsStale,
      syncNames: files.syncNames,
      binariesChanged: process.kind === "running" && isReplaced(process.pid),
      diskFreeBytes: files.diskFreeBytes,
      ownSlots: files.ownSlots,
      diskBytes: files.diskBytes,
    };
  }

  /** Closes the connection; the next look opens a new one. */
  forget(): void {
    this.#session?.destroy();
    this.#session = undefined;
    this.#refusal = undefined;
    this.#pendingAt = undefined;
  }

  /** After a reload the list of parameters that wait for a restart is asked for again. */
  expectChanges(): void {
    this.#pendingAt = undefined;
  }

  #safely(look: () => LocalServer["process"]): LocalServer["process"] {
    try {
      return look();
    } catch (error) {
      // The system does not show its processes: what cannot be proven down is not down.
      this.#place.log.warn("the processes of the server cannot be seen", { error });
      return { kind: "orphans", count: 0 };
    }
  }

  /** A disk that does not answer holds one read at most, and the last answer stands in for it. */
  #readFiles(plan: ServerPlan): Promise<DataSeen> {
    this.#reading ??= this.#data
      .look(plan)
      .then((files) => {
        this.#files = files;
        this.#tellOfDisk(files.diskFreeBytes);
        return files;
      })
      .catch((error: unknown) => {
        this.#place.log.warn("the data directory cannot be read", { error });
        return this.#files;
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  /** Said once when it fills and once when it is over: a full disk hurts long before the server ends. */
  #tellOfDisk(freeBytes: number | undefined): void {
    const isFull = freeBytes !== undefined && isTooLittle(freeBytes);
    if (isFull === this.#isDiskFull) return;
    this.#isDiskFull = isFull;
    const { log, dataDir } = this.#place;
    if (!isFull) log.info("the disk has room again", { dataDir, freeBytes });
    else log.error("the disk is full", { dataDir, freeBytes, next: "free space beside the data" });
  }

  #ask(plan: ServerPlan, limitMs: Ms): Promise<Known<SqlState>> {
    this.#asking ??= this.#askOnce(plan, limitMs).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askOnce(plan: ServerPlan, limitMs: Ms): Promise<Known<SqlState>> {
    const { clock, settings } = this.#place;
    const begun = clock.now();
    try {
      if (this.#session?.isUsable !== true) {
        this.#session = await Session.open(localTarget(settings.postgres), limitMs);
      }
      const isDue =
        this.#pendingAt === undefined || between(this.#pendingAt, begun) >= PENDING_EVERY_MS;
      const [row] = await this.#session.query(LOOK, [isDue], limitMs);
      const look = row?.["look"] as Look;
      this.#refusal = undefined;
      if (look.pending !== null) {
        this.#pendingAt = begun;
        this.#pending = pendingOf(look.pending, plan);
      }
      const { controlFile, commandLine, walTimeline } = this.#files;
      const controlTimelines =
        controlFile === undefined ? [] : [controlFile.timeline, controlFile.minRecoveryTimeline];
      const timelinesOnDisk = [...controlTimelines, walTimeline];
      const pendingRestart = [...commandLine, ...this.#pending];
      return known(readLook(look, { timelinesOnDisk, pendingRestart }), begun);
    } catch (error) {
      this.#refusal = refusalOf(error);
      if (this.#session?.isUsable !== true) this.#session = undefined;
      return unknown(error instanceof Error ? error.message : String(error), begun);
    }
  }

  #late(timeoutMs: Ms): Known<SqlState> {
    return unknown(`no answer in ${timeoutMs} ms`, this.#place.clock.now());
  }

  async #withinLimit<T>(work: Promise<T>, limit: Instant, instead: T): Promise<T> {
    const { clock } = this.#place;
    let timer: { cancel(): void } | undefined;
    const late = new Promise<T>((resolve) => {
      timer = clock.wakeAt(limit, () => resolve(instead));
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      timer?.cancel();
    }
  }
}

/**
 * Of the parameters on the command line the server notes that the file says otherwise, which is so on purpose (R17);
 * whether they differ from the plan is judged by the command line itself.
 */
const pendingOf = (
  waiting: readonly { readonly name: string; readonly value: string }[],
  plan: ServerPlan,
): readonly PendingRestart[] =>
  waiting
    .filter(({ name }) => !isOnCommandLine(name))
    .map(({ name, value }) => ({
      parameter: name,
      oldValue: value,
      newValue: plan.parameters[name] ?? "",
    }));
