// Does the right HAProxy run? Adopted when it does, replaced without losing a session when its file is old, else started.
import { AppError } from "../../model/error.ts";
import type { HaproxySettings } from "../../model/router-settings.ts";
import type { TlsFiles } from "../../model/settings.ts";
import { printAddress } from "../../model/settings-address.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { checkFree } from "../system/free-address.ts";
import { prepareFolder, prepareTls, presentConfig, replaceConfig } from "./files.ts";
import { type Answering, answeringAt, endAll, launch, livePids } from "./process.ts";
import { findHaproxy, type Program } from "./program.ts";
import { fingerprintOf, listeners, renderConfig } from "./render.ts";

/** Between two starts of one that does not stay: none before the second, then this, doubled each time. */
const FIRST_PAUSE_MS: Ms = 500;
const LONGEST_PAUSE_MS: Ms = 30_000;
/** One that has lived for so long did start. */
const STEADY_MS: Ms = 60_000;
/** A process that says nothing for so long is hung. */
const HUNG_MS: Ms = 10_000;

export interface HaproxyOptions {
  readonly settings: HaproxySettings;
  readonly maxLagBytes: number;
  readonly maxReportLagBytes: number;
  readonly readsFromPrimary: boolean;
  /** Certificates of the REST API of this cluster, for the health checks. */
  readonly tls: TlsFiles | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Supervisor {
  /** Answers the pid of the process that listens with today's configuration. Throws while it must not be tried again. */
  ensureRunning(signal: AbortSignal): Promise<number>;
  /** Nobody has yet looked whether the configuration on disk is today's. */
  isStale(): boolean;
  /** There may be processes that have handed over and still serve sessions. */
  mayHaveElders(): boolean;
  /** Why it does not run; undefined when that is not known. */
  trouble(): string | undefined;
}

export const createSupervisor = (options: HaproxyOptions): Supervisor =>
  new HaproxySupervisor(options);

class HaproxySupervisor implements Supervisor {
  readonly #o: HaproxyOptions;
  #program: Program | undefined;
  #isStale = true;
  #mayHaveElders = true;
  #startedAt: Instant | undefined;
  #silentSince: Instant | undefined;
  #startsInARow = 0;
  #trouble: AppError | undefined;

  constructor(options: HaproxyOptions) {
    this.#o = options;
  }

  isStale(): boolean {
    return this.#isStale;
  }

  mayHaveElders(): boolean {
    return this.#mayHaveElders;
  }

  trouble(): string | undefined {
    return this.#trouble?.message;
  }

  async ensureRunning(signal: AbortSignal): Promise<number> {
    try {
      const pid = await this.#ensure(signal);
      this.#trouble = undefined;
      return pid;
    } catch (error) {
      if (error instanceof AppError) this.#trouble = error;
      throw error;
    }
  }

  async #ensure(signal: AbortSignal): Promise<number> {
    const { settings, clock, log } = this.#o;
    const program = (this.#program ??= await findHaproxy(settings.bin));
    await prepareFolder(settings.dir);
    const checkTls = await prepareTls(settings.dir, this.#o.tls);
    const text = renderConfig({ ...this.#o, checkTls, user: program.user });
    const running = await this.#answering();
    const isRight = running?.fingerprint === fingerprintOf(text);
    if (running !== undefined && isRight) {
      if (this.#isStale) log.info("HAProxy runs already and is taken over", { pid: running.pid });
      this.#isStale = false;
      return running.pid;
    }
    this.#refuseTooSoon();
    await this.#checkPorts(running === undefined ? "" : await presentConfig(settings.dir));
    await replaceConfig(settings.dir, text, { program, signal });
    const successor = running === undefined ? {} : { successorOf: running.pid };
    const { dir } = settings;
    const pid = await this.#launch(() => launch({ program, dir, clock, signal, ...successor }));
    const what = running === undefined ? "HAProxy was started" : "HAProxy has a successor";
    log.info(what, { pid, version: program.version });
    if (running !== undefined) this.#mayHaveElders = true;
    this.#isStale = false;
    return pid;
  }

  /** The process that answers. One that listens and says nothing is given some time, then ended. */
  async #answering(): Promise<Extract<Answering, { kind: "answers" }> | undefined> {
    const { settings, clock, log } = this.#o;
    const found = await answeringAt(settings.dir);
    if (found.kind !== "silent") {
      this.#silentSince = undefined;
      return found.kind === "answers" ? found : undefined;
    }
    const pids = livePids(settings.dir);
    const since = (this.#silentSince ??= clock.now());
    const silentMs = between(since, clock.now());
    if (silentMs < HUNG_MS) {
      const why = `pid ${pids.join(", ")} listens on its socket and says nothing`;
      throw new AppError("HAPROXY_FAILED", "talking to HAProxy", why);
    }
    log.error("HAProxy does not answer and is ended", { pids, silentMs });
    await endAll(pids, settings.dir, clock);
    this.#silentSince = undefined;
    return undefined;
  }

  /** Only addresses that no process of ours holds: a successor inherits the others. */
  async #checkPorts(present = ""): Promise<void> {
    const held = present.split("\n").flatMap((line) => /^ {2}bind (\S+)/.exec(line)?.[1] ?? []);
    for (const [name, address] of listeners(this.#o.settings)) {
      if (!held.includes(printAddress(address))) await checkFree(name, address);
    }
  }

  /** One that dies again and again is not started in a tight loop. */
  #refuseTooSoon(): void {
    const { clock } = this.#o;
    if (this.#startedAt === undefined) return;
    const livedMs = between(this.#startedAt, clock.now());
    if (livedMs >= STEADY_MS) this.#startsInARow = 0;
    const doubled = FIRST_PAUSE_MS * 2 ** (this.#startsInARow - 2);
    const pauseMs = this.#startsInARow < 2 ? 0 : Math.min(LONGEST_PAUSE_MS, doubled);
    const next = after(this.#startedAt, pauseMs);
    if (clock.now() >= next) return;
    const why = this.#trouble?.why ?? "it did not stay";
    const waitMs = Math.ceil(between(clock.now(), next));
    throw new AppError("HAPROXY_FAILED", "starting HAProxy", `next try in ${waitMs} ms: ${why}`);
  }

  async #launch(start: () => Promise<number>): Promise<number> {
    this.#startedAt = this.#o.clock.now();
    this.#startsInARow += 1;
    return start();
  }
}
