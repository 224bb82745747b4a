// Do all processes run? Adopted when they do, started when not, with growing pauses for one that does not stay.
import { AppError } from "../../model/error.ts";
import type { PgbouncerSettings } from "../../model/router-settings.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { checkFree } from "../system/free-address.ts";
import { Console, type ConsolePlace } from "./console.ts";
import { numbersOf } from "./files.ts";
import { logFile, settingsFile, socketDir } from "./layout.ts";
import { endProcess, launch, processOf, signalTo } from "./process.ts";
import { type Program, stopSignal } from "./program.ts";

/** Between two starts of one that does not stay: doubled each time. */
const FIRST_PAUSE_MS: Ms = 500;
const LONGEST_PAUSE_MS: Ms = 30_000;
/** One that has lived for so long did start. */
const STEADY_MS: Ms = 60_000;
const CONSOLE_LIMIT_MS: Ms = 2000;
/** A process whose console is silent for so long is hung: nobody else is served either. */
const HUNG_MS: Ms = 10_000;

export interface FleetOptions {
  readonly settings: PgbouncerSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** A process has ended that was not told to. */
  onLoss(): void;
}

/** One process, as far as we have to do with it. */
export class Member {
  readonly number: number;
  readonly settingsFile: string;
  readonly place: ConsolePlace;
  /** It runs with files that it has not been told to read yet. */
  isStale = true;
  /** It may believe what was true of its servers in an older term, or in an earlier life of the agent. */
  isBehind = true;
  #pid: number | undefined;
  #console: Console | undefined;
  #spares: Console[] = [];
  #startedAt: Instant | undefined;
  #silentSince: Instant | undefined;
  #pauseMs: Ms = 0;
  readonly #o: FleetOptions;

  constructor(o: FleetOptions, number: number, password: string) {
    const { dir, listen } = o.settings;
    this.#o = o;
    this.number = number;
    this.settingsFile = settingsFile(dir, number);
    this.place = { socketDir: socketDir(dir, number), port: listen.port, password };
  }

  pid(): number | undefined {
    this.#pid = processOf(this.settingsFile, this.#pid);
    return this.#pid;
  }

  /** The lasting connection to its console, opened anew when it has broken. */
  async console(signal: AbortSignal): Promise<Console> {
    if (this.#console?.isUsable) return this.#console;
    this.#console = await this.#open(signal);
    return this.#console;
  }

  /** A connection of one's own, for a command that may never return; whoever takes it destroys it. */
  async fresh(signal: AbortSignal): Promise<Console> {
    const spare = this.#spares.pop();
    return spare?.isUsable ? spare : this.#open(signal);
  }

  /** Opens connections ahead of need: a login costs more than the pause that it is for. */
  async keepSpares(count: number, signal: AbortSignal): Promise<void> {
    this.#spares = this.#spares.filter((one) => one.isUsable);
    while (this.#spares.length < count) this.#spares.push(await this.#open(signal));
  }

  async #open(signal: AbortSignal): Promise<Console> {
    using limit = this.#o.clock.deadline(CONSOLE_LIMIT_MS, signal);
    return await Console.open(this.place, limit.signal);
  }

  /** Throws PGBOUNCER_FAILED or PORT_IN_USE, and while it must not be tried again. */
  async ensureRunning(program: Program, signal: AbortSignal): Promise<void> {
    const pid = this.pid();
    if (pid === undefined) {
      await this.#start(program, signal);
      return;
    }
    try {
      await this.console(signal);
      this.#silentSince = undefined;
    } catch (error) {
      signal.throwIfAborted();
      this.#endIfHung(pid);
      throw error;
    }
  }

  async #start(program: Program, signal: AbortSignal): Promise<void> {
    const { clock, log, settings, onLoss } = this.#o;
    const notBefore = this.#startedAt && after(this.#startedAt, this.#pauseMs);
    if (notBefore !== undefined && between(clock.now(), notBefore) > 0) {
      const why = `it ended soon after its last start; see ${logFile(settings.dir, this.number)}`;
      throw new AppError("PGBOUNCER_FAILED", "waiting before PgBouncer is started again", why);
    }
    const lived = this.#startedAt && between(this.#startedAt, clock.now());
    this.#pauseMs =
      lived === undefined || lived > STEADY_MS
        ? FIRST_PAUSE_MS
        : Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    this.#startedAt = clock.now();
    this.#drop();
    const hasSiblings = numbersOf(settings).some(
      (number) => processOf(settingsFile(settings.dir, number)) !== undefined,
    );
    // Siblings share the port, and only they can. Beside a stranger it would start all the same, with its socket alone.
    if (!hasSiblings) await checkFree("PgBouncer", settings.listen);
    const child = await launch({
      program,
      settings: this.settingsFile,
      log: logFile(settings.dir, this.number),
      console: this.place,
      clock,
      signal,
    });
    child.once("exit", onLoss);
    this.isStale = false;
    this.isBehind = false;
    log.info("PgBouncer runs", { pid: child.pid, version: program.version.text });
  }

  #endIfHung(pid: number): void {
    const { clock, log } = this.#o;
    this.#silentSince ??= clock.now();
    if (between(this.#silentSince, clock.now()) < HUNG_MS) return;
    log.warn("PgBouncer has said nothing for long, it is ended and started again", { pid });
    signalTo(pid, "SIGKILL");
  }

  async end({ version }: Program): Promise<void> {
    this.#drop();
    await endProcess(this.settingsFile, stopSignal(version), this.#o.clock);
  }

  #drop(): void {
    for (const spare of this.#spares) spare.destroy();
    this.#spares = [];
    this.#console?.destroy();
    this.#console = undefined;
  }

  close(): void {
    this.#drop();
  }
}

export const createFleet = (options: FleetOptions, password: string): readonly Member[] =>
  numbersOf(options.settings).map((number) => new Member(options, number, password));
