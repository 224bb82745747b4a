// What does a member do for a game day? It keeps the record, writes probes while it lasts, and ends its own server once.
import { join } from "node:path";
import { MessageProber } from "../../adapters/postgres/message-prober.ts";
import { lookAtServer } from "../../adapters/system/server-look.ts";
import { asGameDay, type GameDay, objectionTo } from "../../model/game-day/game-day.ts";
import { valueOf } from "../../model/known.ts";
import { isValid } from "../../model/lease.ts";
import type { NodeSettings } from "../../model/settings.ts";
import { between, type Instant, type Ms } from "../../model/time.ts";
import { verdictOn } from "../../model/verdict.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { View } from "../api/node-view.ts";
import type { Chronicle } from "../chronicle/chronicle.ts";
import { readRecords, writeRecords } from "../record-files.ts";
import { GameDayProbe, type ProbeFigures } from "./probe.ts";

export interface GameDaysOptions {
  readonly settings: NodeSettings;
  readonly chronicle: Pick<Chronicle, "gameDay">;
  readonly clock: Clock;
  readonly log: Log;
  readonly view: () => View;
}

/** The server that is meant: another term, or a server that was started since, is another one. */
export interface CrashOrder {
  readonly id: string;
  readonly term: number;
  readonly serverStartedAt: string;
}

/** Between the beginning of a game day and the end of its server: later it would surprise. */
const FRESH_MS: Ms = 30_000;
export const LONGEST_PROBE_MS: Ms = 10 * 60_000;

export class GameDays {
  readonly #o: GameDaysOptions;
  readonly #folder: string;
  /** Which game days began while this agent ran, and when it was told; each ends a server once. */
  readonly #begun = new Map<string, Instant>();
  #probe: GameDayProbe | undefined;
  /** Records are compared and written by one at a time. */
  #keeping: Promise<unknown> = Promise.resolve();

  constructor(options: GameDaysOptions) {
    this.#o = options;
    this.#folder = join(options.settings.postgres.stateDir, "game-days");
  }

  list = (): Promise<readonly GameDay[]> => readRecords(this.#folder, asGameDay);

  /** Answers why it is not kept; undefined when it is. */
  keep(day: GameDay): Promise<string | undefined> {
    const done = this.#keeping.then(() => this.#keep(day));
    this.#keeping = done.catch(() => undefined);
    return done;
  }

  async #keep(day: GameDay): Promise<string | undefined> {
    const { settings, clock, log } = this.#o;
    if (day.cluster !== settings.scope) return `this cluster is ${settings.scope}`;
    const before = await this.list();
    const objection = objectionTo(day, before, clock.wallMs());
    if (objection !== undefined) return objection;
    await writeRecords(this.#folder, before, withDay(before, day));
    if (day.state === "begun") this.#begun.set(day.id, clock.now());
    log.info("a game day", { id: day.id, what: day.kind, state: day.state, by: day.by });
    return undefined;
  }

  /** Writes into the WAL of whoever is the primary, over the addresses that the store names. */
  startProbe(forMs: Ms): void {
    const { settings, clock, log, view } = this.#o;
    const members = view().cluster?.seen.members ?? [];
    const addresses = members.map(({ host, port }) => ({ host, port }));
    this.#probe?.stop();
    this.#probe = new GameDayProbe(new MessageProber(settings.postgres, addresses), clock);
    this.#probe.run(forMs).catch((error: unknown) => log.warn("the probe ended", { error }));
  }

  stopProbe(): void {
    this.#probe?.stop();
  }

  probed(): ProbeFigures | undefined {
    return this.#probe?.figures();
  }

  /** Ends the first process of the own server as a crash would. Answers why it did not. */
  async crash(order: CrashOrder): Promise<string | undefined> {
    const { chronicle, log, settings } = this.#o;
    const day = (await this.list()).find(({ id }) => id === order.id);
    const objection = this.#objection(order, day);
    if (objection !== undefined || day === undefined) return objection;
    const pid = this.#postmaster();
    if (pid === undefined) return "the first process of the server is not known";
    this.#begun.delete(order.id);
    chronicle.gameDay(day.id, day.by);
    log.warn("a game day ends the server", { id: day.id, by: day.by, name: settings.name });
    process.kill(pid, "SIGKILL");
    return undefined;
  }

  #objection({ id, term, serverStartedAt }: CrashOrder, day: GameDay | undefined) {
    const { clock, settings, view } = this.#o;
    if (day?.state !== "begun") return `there is no game day ${id} that has begun`;
    if (day.kind !== "crash" || day.from !== settings.name)
      return `${id} is a ${day.kind} of ${day.from}`;
    const begun = this.#begun.get(id);
    if (begun === undefined) return `${id} has ended its server, or began before this agent did`;
    if (between(begun, clock.now()) > FRESH_MS) return `${id} began too long ago`;
    const now = view();
    if (!isValid(now.lease, clock.now()) || now.lease.term !== term)
      return "another term, or nobody, leads";
    const sql = now.server === undefined ? undefined : valueOf(now.server.seen.sql);
    if (sql?.startedAtText !== serverStartedAt) return "the server has been started since";
    return this.#unrest(now);
  }

  /** What the agent itself sees that speaks against it, whatever was seen before. */
  #unrest({ config, job, cluster, storeTrouble }: View): string | undefined {
    if (config.paused) return "the cluster is paused";
    if (job !== undefined) return `${job.name} is under way`;
    if (storeTrouble !== undefined || cluster === undefined) return "the store cannot be read";
    if (cluster.seen.failover.value !== undefined) return "a change of leader is asked for";
    const { health, sentence, warnings } = verdictOn(
      cluster.seen,
      config.maximumLagOnFailover,
      this.#o.clock.wallMs(),
    );
    return health === "healthy" ? undefined : [sentence, ...warnings].join("; ");
  }

  /** The fence's child, if it is still the first process in our directory: a pid alone could be anybody's by now. */
  #postmaster(): number | undefined {
    const { settings, view } = this.#o;
    const pid = view().fence.serverPid;
    if (pid === undefined) return undefined;
    const { postmaster } = lookAtServer({ dataDir: settings.postgres.dataDir, childPid: pid });
    return postmaster?.pid === pid ? pid : undefined;
  }
}

const withDay = (days: readonly GameDay[], day: GameDay): readonly GameDay[] =>
  [...days.filter(({ id }) => id !== day.id), day].toSorted((a, b) => (a.id < b.id ? -1 : 1));
