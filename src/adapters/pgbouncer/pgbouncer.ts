// The pooler of this node: PgBouncer, one process or several, told everything over each one's own console.
import { AppError } from "../../model/error.ts";
import type { RoutePlan, Target } from "../../model/route.ts";
import type { PgbouncerSettings } from "../../model/router-settings.ts";
import { after, type Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Held, HoldLimits, Pointed, Pooler, PoolerLook } from "../../ports/pooler.ts";
import { readIfPresent } from "../system/durable-file.ts";
import { type Console, quoteDatabase, type Row } from "./console.ts";
import { numbersOf, renderFiles, replaceFiles } from "./files.ts";
import { createFleet, type Member } from "./fleet.ts";
import {
  launchReleaser,
  type ReleaserHandle,
  type ReleaserProgram,
  readHold,
  removeHold,
  writeHold,
} from "./hold.ts";
import { prepareFolders, routesFile, usersFile } from "./layout.ts";
import { blockersOf, cutLinked } from "./linked.ts";
import { lookAt } from "./look.ts";
import { endProcess, runningIn } from "./process.ts";
import { findPgbouncer, type Program, stopSignal } from "./program.ts";
import { refusedUsers } from "./refused-users.ts";
import { leftOut, type RoutesMark, readMark, type Way, waysOf } from "./render.ts";
import { resumeOn } from "./resume.ts";
import { consoleKey } from "./users.ts";

export interface PgbouncerOptions {
  readonly settings: PgbouncerSettings;
  /** How long clients may be paused (`router.hold_limit`): queries must be allowed to wait longer. */
  readonly holdLimitMs: Ms;
  /** The program that ends a pause whose owner is gone. */
  readonly releaser: ReleaserProgram;
  readonly clock: Clock;
  readonly log: Log;
}

const MEND_LIMIT_MS: Ms = 15_000;
const MEND_PAUSE_MS: Ms = 150;
/** Later ones are the loop's business: it looks for as long as the agent lives. */
const MOST_MENDS = 6;

export const createPgbouncer = (options: PgbouncerOptions): Pooler => new Pgbouncer(options);

class Pgbouncer implements Pooler {
  readonly #o: PgbouncerOptions;
  readonly #databases: readonly string[];
  readonly #writes: readonly string[];
  #program: Program | undefined;
  #members: readonly Member[] = [];
  #plan: RoutePlan | undefined;
  #problems: readonly string[] = [];
  #releaser: ReleaserHandle | undefined;
  #isClosed = false;
  #isMending = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: PgbouncerOptions) {
    this.#o = options;
    const { databases } = options.settings;
    this.#databases = Object.keys(databases);
    this.#writes = this.#databases.filter((name) => databases[name]?.route === "write");
  }

  ensure(plan: RoutePlan, signal: AbortSignal): Promise<Pointed> {
    return this.#alone(async () => {
      const { settings } = this.#o;
      const program = await this.#prepared();
      const before = await this.#mark();
      if (before !== undefined && plan.term < before.term)
        return { kind: "older", term: before.term };
      const mark = { term: plan.term, ways: waysOf(settings, plan, before?.ways ?? {}) };
      await this.#replaceFiles(program, mark, signal);
      const isNewTerm = (before?.term ?? 0) < plan.term;
      if (isNewTerm) for (const member of this.#members) member.isBehind = true;
      for (const member of this.#members) {
        await member.ensureRunning(program, signal);
        await this.#point(member, mark, signal);
        // Not while clients wait for the end of a pause: the next look is early enough.
        if (this.#releaser === undefined) await member.keepSpares(this.#writes.length, signal);
      }
      this.#plan = plan;
      this.#problems = leftOut(plan);
      return { kind: "pointed" };
    });
  }

  hold(limits: HoldLimits, signal: AbortSignal): Promise<Held> {
    return this.#alone(async () => {
      const { clock } = this.#o;
      await this.#prepared();
      await this.#recordHold(limits.limitMs);
      const consoles = await this.#pauseConsoles(signal);
      using drain = clock.deadline(limits.drainMs, signal);
      try {
        const pauses = consoles.map(({ console, name }) =>
          console.tell(`PAUSE ${quoteDatabase(name)}`, drain.signal),
        );
        // Its start takes milliseconds in which clients would be refused; the record stands already (decision 0149).
        await this.#ensureReleaser(signal);
        const outcomes = await Promise.allSettled(pauses);
        signal.throwIfAborted();
        const failure = outcomes.find((one) => one.status === "rejected");
        if (failure === undefined) return { kind: "held" };
        if (!drain.signal.aborted) throw failure.reason;
        return { kind: "busy", blockers: await this.#blockers(signal) };
      } finally {
        // A PAUSE that somebody else's RESUME has ended never returns: nothing of it may be left.
        for (const { console } of consoles) console.destroy();
      }
    });
  }

  release(signal: AbortSignal): Promise<void> {
    return this.#alone(async () => {
      await this.#prepared();
      await this.#onEach(signal, (console) => resumeOn(console, this.#writes, signal));
      await removeHold(this.#o.settings.dir);
      this.#releaser?.dismiss();
      this.#releaser = undefined;
    });
  }

  // Not behind the others in the queue: what is hung may be what they wait for.
  async cut(target: Target, signal: AbortSignal): Promise<void> {
    const { version } = await this.#prepared();
    await this.#onEach(signal, (console) => cutLinked(console, target, { version, signal }));
  }

  closeWrites(signal: AbortSignal): Promise<void> {
    return this.#alone(async () => {
      await this.#prepared();
      await this.#onEach(signal, async (console) => {
        for (const name of this.#writes) {
          const database = quoteDatabase(name);
          await console.tell(`DISABLE ${database}`, signal);
          // Clients that are there would go on with the server they have; it leaves the database paused.
          await console.tell(`KILL ${database}`, signal);
          await console.tell(`RESUME ${database}`, signal);
        }
      });
    });
  }

  async look(signal: AbortSignal): Promise<PoolerLook> {
    const { version } = await this.#prepared();
    const problems: string[] = [...this.#problems];
    const processes = [];
    for (const member of this.#members) {
      const pid = member.pid();
      try {
        if (pid === undefined) throw new AppError("PGBOUNCER_FAILED", "looking", "it does not run");
        const what = {
          pid,
          version: version.text,
          databases: this.#databases,
          writes: this.#writes,
          maxClients: this.#o.settings.maxClientConn,
        };
        processes.push(await lookAt(await member.console(signal), what, signal));
      } catch (error) {
        signal.throwIfAborted();
        problems.push(`process ${member.number}: ${wordsOf(error)}`);
      }
    }
    const isPaused = processes.some(({ paused }) => paused);
    if (isPaused && (await readHold(this.#o.settings.dir)) === undefined) {
      problems.push(
        "a database was paused by somebody else: RESUME in PgBouncer's console ends it",
      );
    }
    return { processes, problems };
  }

  async refusals({ processes }: PoolerLook, signal: AbortSignal): Promise<readonly string[]> {
    const { settings } = this.#o;
    const users = (await readIfPresent(usersFile(settings.dir))) ?? "";
    signal.throwIfAborted();
    const names = Object.entries(settings.databases).map(([name, { dbname }]) => [name, dbname]);
    return refusedUsers(processes, users, Object.fromEntries(names));
  }

  close(): void {
    this.#isClosed = true;
    for (const member of this.#members) member.close();
  }

  stop(signal: AbortSignal): Promise<void> {
    this.#isClosed = true;
    // Behind what is under way: a process that is just being started again would stay otherwise.
    return this.#alone(async () => {
      const program = await this.#prepared();
      signal.throwIfAborted();
      await Promise.all(this.#members.map((member) => member.end(program)));
      await removeHold(this.#o.settings.dir);
      this.#releaser?.dismiss();
    });
  }

  /** Program, folders and what an earlier life of the agent has left behind; done once. */
  async #prepared(): Promise<Program> {
    if (this.#program !== undefined) return this.#program;
    const { settings, clock, log } = this.#o;
    const refusal = whyNotPausable(settings);
    if (refusal !== undefined) {
      throw new AppError("CONFIG_INVALID", "reading router.pgbouncer", refusal);
    }
    const program = await findPgbouncer(settings.bin);
    await prepareFolders(settings.dir, numbersOf(settings), program.user);
    const onLoss = (): void => this.#onLoss();
    const key = await consoleKey(settings.dir);
    this.#members = createFleet({ settings, clock, log, onLoss }, key);
    this.#program = program;
    await this.#takeOver(program);
    return program;
  }

  /** What an earlier life of the agent has left behind: processes that are too many now, and a pause. */
  async #takeOver(program: Program): Promise<void> {
    const { settings, clock } = this.#o;
    const running = runningIn(settings.dir);
    const surplus = running.filter(
      (file) => !this.#members.some((one) => one.settingsFile === file),
    );
    for (const file of surplus) await endProcess(file, stopSignal(program.version), clock);
    if ((await readHold(settings.dir)) === undefined) return;
    // Without a process there is no pause: the record is of a boot that is over.
    if (running.length === 0) await removeHold(settings.dir);
    // Whoever paused may have been killed together with the one who was to end it.
    else this.#releaser = launchReleaser(this.#o.releaser, settings.dir);
  }

  async #mark(): Promise<RoutesMark | undefined> {
    return readMark(await readIfPresent(routesFile(this.#o.settings.dir)));
  }

  async #replaceFiles(program: Program, mark: RoutesMark, signal: AbortSignal): Promise<void> {
    const { settings, holdLimitMs, clock } = this.#o;
    const key = await consoleKey(settings.dir);
    const input = { settings, holdLimitMs, program, key, mark, clock };
    await prepareFolders(settings.dir, numbersOf(settings), program.user);
    const hasChanged = await replaceFiles(input, await renderFiles(input), signal);
    if (hasChanged) for (const member of this.#members) member.isStale = true;
  }

  /** Makes one process lead where the files say, and forget what it has learnt about servers of an older term. */
  async #point(member: Member, { ways }: RoutesMark, signal: AbortSignal): Promise<void> {
    const console = await member.console(signal);
    if (member.isStale) await console.tell("RELOAD", signal);
    member.isStale = false;
    // An address that stayed may have been a standby's when it was logged in to, and clients would be told so for ever.
    if (member.isBehind) await console.tell("RECONNECT", signal);
    member.isBehind = false;
    const rows = await console.show("DATABASES", signal);
    for (const [name, way] of Object.entries(ways)) {
      const row = rows.find((one) => one["name"] === name);
      if (!leads(row, way)) {
        member.isStale = true;
        const why = `${name} leads to ${row?.["host"] ?? "nowhere"}, not to ${way.hosts.join(",")}`;
        throw new AppError("PGBOUNCER_FAILED", "reading the new routes", why);
      }
      const isClosed = row?.["disabled"] === "1";
      const mustClose = way.hosts.length === 0;
      if (isClosed === mustClose) continue;
      await console.tell(`${mustClose ? "DISABLE" : "ENABLE"} ${quoteDatabase(name)}`, signal);
    }
  }

  async #recordHold(limitMs: Ms): Promise<void> {
    const { settings, clock } = this.#o;
    const { dir, listen } = settings;
    const held = await readHold(dir);
    writeHold(dir, {
      // One that is prolonged keeps its name, so that whoever waits for its end goes on waiting.
      id: held?.id ?? `${process.pid}-${Math.round(clock.now())}`,
      ownerPid: process.pid,
      until: after(clock.now(), limitMs),
      port: listen.port,
      socketDirs: this.#members.map(({ place }) => place.socketDir),
      databases: this.#writes,
    });
  }

  /** A pause that nobody would end is taken back. */
  async #ensureReleaser(signal: AbortSignal): Promise<void> {
    if (this.#releaser?.isAlive()) return;
    try {
      this.#releaser = launchReleaser(this.#o.releaser, this.#o.settings.dir);
    } catch (error) {
      await this.#onEach(signal, (console) => resumeOn(console, this.#writes, signal));
      throw error;
    }
  }

  async #pauseConsoles(signal: AbortSignal) {
    const wanted = this.#members.flatMap((member) =>
      this.#writes.map((name) => ({ member, name })),
    );
    return Promise.all(
      wanted.map(async ({ member, name }) => ({ console: await member.fresh(signal), name })),
    );
  }

  async #blockers(signal: AbortSignal): Promise<readonly string[]> {
    const found: string[] = [];
    const wallMs = this.#o.clock.wallMs();
    await this.#onEach(signal, async (console) => {
      found.push(...(await blockersOf(console, this.#writes, { wallMs, signal })));
    });
    return found;
  }

  /** All at the same time; the first failure is thrown after all have been tried. A process that is gone has no state. */
  async #onEach(signal: AbortSignal, work: (console: Console) => Promise<void>): Promise<void> {
    const running = this.#members.filter((member) => member.pid() !== undefined);
    const outcomes = await Promise.allSettled(
      running.map(async (member) => work(await member.console(signal))),
    );
    const failure = outcomes.find((one) => one.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }

  /** Verbs wait for each other: consoles and files have one user at a time. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** A process has died under us: back as soon as it may be, instead of with the loop's next look. */
  #onLoss(): void {
    if (this.#isClosed || this.#isMending) return;
    this.#o.log.warn("PgBouncer has ended, it is started again");
    this.#isMending = true;
    void this.#mend().finally(() => {
      this.#isMending = false;
    });
  }

  async #mend(): Promise<void> {
    const { clock, log } = this.#o;
    for (let attempt = 1; attempt <= MOST_MENDS; attempt += 1) {
      const plan = this.#plan;
      if (plan === undefined || this.#isClosed) return;
      using limit = clock.deadline(MEND_LIMIT_MS);
      const failure = await this.ensure(plan, limit.signal).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (failure === undefined) return;
      log.warn("PgBouncer is not back yet", failure);
      await clock.sleep(MEND_PAUSE_MS * 2 ** attempt);
    }
  }
}

const wordsOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Pausing one database while the pool is filled up by itself costs a failed login, and with it every client. */
function whyNotPausable({ databases, options }: PgbouncerSettings): string | undefined {
  const filled = Object.entries(databases).find(
    ([, { route, minPoolSize }]) => route === "write" && (minPoolSize ?? 0) > 0,
  );
  const remedy = "take it out: a paused database must not open connections by itself";
  if (filled !== undefined) return `databases.${filled[0]}.min_pool_size is set; ${remedy}`;
  if (Number(options["min_pool_size"] ?? 0) > 0) return `options.min_pool_size is set; ${remedy}`;
  return undefined;
}

const leads = (row: Row | undefined, { hosts, port }: Way): boolean =>
  row !== undefined &&
  (hosts.length === 0 || (row["host"] === hosts.join(",") && Number(row["port"]) === port));
