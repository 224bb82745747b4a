// The Postgres port of one agent on one simulated host.
import { AppError } from "../model/error.ts";
import { type Lsn, lsn } from "../model/lsn.ts";
import type { LocalServer } from "../model/server.ts";
import type { RemoteSite, StandbyCluster } from "../model/site.ts";
import type { SyncNames } from "../model/sync.ts";
import type { Ms } from "../model/time.ts";
import { type Branch, headOf, type Lineage } from "../model/timeline.ts";
import type {
  ClosedGate,
  CrashEnd,
  Postgres,
  Progress,
  ServerPlan,
  Upstream,
} from "../ports/postgres.ts";
import { ask, askAfter } from "./ask.ts";
import type { SimFence } from "./fence-client.ts";
import type { SimHost } from "./host.ts";
import { initialise } from "./postgres-initialise.ts";
import { HungProof, observeServer, settingsText } from "./postgres-observe.ts";
import { clone, rewind } from "./postgres-rebuild.ts";
import { slotVerbs } from "./postgres-slot-verbs.ts";
import { type StopRequest, stopServer } from "./postgres-stop.ts";
import { proveClosed, setSyncNames } from "./postgres-sync.ts";
import type { SimProcess } from "./process.ts";
import { lookAtSite } from "./remote.ts";
import type { Run } from "./run.ts";
import { receive } from "./streaming.ts";

/** Planted faults of the adapter. */
export interface PostgresFlaws {
  readonly noTimelineReservation?: boolean;
  /** A clone removes the old directory before it has a new one. */
  readonly clonesInPlace?: boolean;
  /** The marker of an unfinished rebuild keeps nothing from being started. */
  readonly startsHalfRebuilt?: boolean;
}

export class SimPostgres implements Postgres {
  readonly host: SimHost;
  readonly agent: SimProcess;
  readonly #fence: SimFence;
  readonly #flaws: PostgresFlaws;
  readonly #proof = new HungProof();
  readonly syncSlots: Postgres["syncSlots"];
  readonly createLogicalSlots: Postgres["createLogicalSlots"];
  readonly readSlots: Postgres["readSlots"];
  readonly placeSlots: Postgres["placeSlots"];
  readonly advanceCopies: Postgres["advanceCopies"];
  readonly catalogHorizons: Postgres["catalogHorizons"];
  readonly dropSlot: Postgres["dropSlot"];

  constructor(host: SimHost, agent: SimProcess, fence: SimFence, flaws: PostgresFlaws) {
    this.host = host;
    this.agent = agent;
    this.#fence = fence;
    this.#flaws = flaws;
    const slots = slotVerbs(host, agent);
    this.syncSlots = slots.syncSlots;
    this.createLogicalSlots = slots.createLogicalSlots;
    this.readSlots = slots.readSlots;
    this.placeSlots = slots.placeSlots;
    this.advanceCopies = slots.advanceCopies;
    this.catalogHorizons = slots.catalogHorizons;
    this.dropSlot = slots.dropSlot;
  }

  observe(plan: ServerPlan, timeoutMs: Ms): Promise<LocalServer> {
    const run = this.host.server.run;
    const isSilent = run?.frozen === true;
    const ms = isSilent ? timeoutMs : Math.min(this.host.server.profile.sqlMs, timeoutMs);
    return askAfter(this.host.kernel, {
      process: this.agent,
      attempt: "observing the server",
      ms,
      work: () => observeServer(this.host, plan, this.#proof),
    });
  }

  initialise(...[, , signal]: Parameters<Postgres["initialise"]>): Promise<void> {
    return initialise(this.host, this.agent, signal);
  }

  finishBootstrap(signal: AbortSignal): Promise<void> {
    return this.#sql("creating the roles", signal, (run) => {
      if (run.phase !== "primary")
        throw new AppError("PG_SQL_FAILED", "creating the roles", "not a primary");
    });
  }

  clone(
    from: Upstream,
    lineage: Lineage,
    onProgress: (p: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    onProgress({ phase: "copying", doneBytes: 0, totalBytes: undefined });
    const inPlace = this.#flaws.clonesInPlace === true;
    return clone({ host: this.host, agent: this.agent, from, lineage, signal, inPlace });
  }

  rewind(
    from: Upstream,
    lineage: Lineage,
    onProgress: (p: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    onProgress({ phase: "rewinding", doneBytes: 0, totalBytes: undefined });
    return rewind({ host: this.host, agent: this.agent, from, lineage, signal });
  }

  discardHalfBootstrap(signal: AbortSignal): Promise<void> {
    return this.#work("removing half a bootstrap", 20, signal, () => {
      const { disk, truth, name } = this.host;
      if (this.host.server.run !== undefined)
        throw new AppError("NOT_POSSIBLE", "removing half a bootstrap", "the server runs");
      if (disk.data !== undefined) {
        truth.tell({
          kind: "data-removed",
          host: name,
          systemId: disk.data.systemId,
          hadReplacement: false,
        });
      }
      disk.data = undefined;
      disk.state = "empty";
      disk.marked = false;
      disk.record([]);
    });
  }

  async startStandby(
    plan: ServerPlan,
    upstream: Upstream | undefined,
    timeoutMs: Ms,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#prepare("standby", plan, signal);
    await this.#start("standby", timeoutMs, signal, (run) => this.#receiveFrom(run, upstream));
  }

  async startPrimary(plan: ServerPlan, timeoutMs: Ms, signal: AbortSignal): Promise<void> {
    await this.#prepare("primary", plan, signal);
    await this.#start("primary", timeoutMs, signal, () => undefined);
  }

  /** Everything on disk is as it must be before the first process exists (R16, R32). */
  #prepare(role: "primary" | "standby", plan: ServerPlan, signal: AbortSignal): Promise<void> {
    const attempt = `starting as a ${role}`;
    const { server, disk } = this.host;
    return this.#work(attempt, 1, signal, () => {
      const isBarred = disk.marked && this.#flaws.startsHalfRebuilt !== true;
      if (isBarred) throw new AppError("NOT_POSSIBLE", attempt, "a rebuild was interrupted");
      if (server.run !== undefined)
        throw new AppError("NOT_POSSIBLE", attempt, "processes of a server are still there");
      if (disk.data === undefined) return;
      disk.data.standbySignal = role === "standby";
      disk.data.settings = settingsText(plan);
    });
  }

  async #start(
    role: "primary" | "standby",
    timeoutMs: Ms,
    signal: AbortSignal,
    onStarted: (run: Run) => void,
  ): Promise<void> {
    const attempt = `starting as a ${role}`;
    const { server } = this.host;
    await this.#fence.startServer(
      { program: "postgres", args: [role], dataDir: "/data", environment: {}, logFile: "/log" },
      signal,
    );
    if (server.run !== undefined) onStarted(server.run);
    await this.#until(attempt, timeoutMs, signal, (run) => {
      if (run === undefined) throw new AppError("PG_START_FAILED", attempt, "the server has ended");
      return run.phase === role || run.phase === "primary";
    });
  }

  stop(
    timeoutMs: Ms,
    onShutdown: ((end: Lsn) => Promise<void>) | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const kill = (): Promise<void> => this.#kill();
    const request: StopRequest = {
      host: this.host,
      agent: this.agent,
      timeoutMs,
      onShutdown,
      signal,
      kill,
    };
    return stopServer(request);
  }

  checkpoint(signal: AbortSignal): Promise<void> {
    return this.#work("checkpoint", this.host.server.profile.stopMs, signal, () => {
      const data = this.host.disk.data;
      if (this.host.server.run?.phase !== "primary" || data === undefined) {
        throw new AppError("PG_SQL_FAILED", "checkpoint", "not a primary");
      }
      data.control.checkpoint = data.flushed;
    });
  }

  lookAtSite(site: StandbyCluster, timeoutMs: Ms): Promise<RemoteSite> {
    return lookAtSite(this.host, this.agent, { site, timeoutMs });
  }

  follow(upstream: Upstream | undefined, signal: AbortSignal): Promise<void> {
    return this.#sql("following another member", signal, (run) => {
      run.receiver?.close();
      run.receiver = undefined;
      if (run.phase === "standby") this.#receiveFrom(run, upstream);
    });
  }

  #receiveFrom(run: Run, upstream: Upstream | undefined): void {
    run.receiver =
      upstream === undefined
        ? undefined
        : receive(this.host.server, run, upstream, this.host.world);
  }

  async beforePromote(): Promise<void> {
    if (!this.host.refusesPromotion) return;
    throw new AppError("HOOK_REFUSED", "promoting", "pre_promote ended with status 1");
  }

  async promote(branch: Branch, timeoutMs: Ms, signal: AbortSignal): Promise<Branch> {
    const { disk } = this.host;
    try {
      await this.#sql("promoting", signal, (run) => this.#beginPromotion(run, branch));
      await this.#until("promoting", timeoutMs, signal, (run) => {
        if (run === undefined)
          throw new AppError("PG_PROMOTE_FAILED", "promoting", "the server has ended");
        return run.phase === "primary";
      });
    } catch (error) {
      if (disk.data !== undefined && this.agent.isAlive) disk.data.standbySignal = true;
      throw error;
    }
    const got = disk.data?.branch.timeline;
    if (got !== branch.timeline && this.#flaws.noTimelineReservation !== true) {
      await this.#kill();
      if (disk.data !== undefined) disk.data.standbySignal = true;
      throw new AppError("PG_TIMELINE_WRONG", "promoting", `asked ${branch.timeline}, got ${got}`);
    }
    const begun = { ...branch, forkLsn: lsn(Math.floor(disk.data?.branch.forkAt ?? 0)) };
    disk.record([...disk.lineage, begun]);
    return begun;
  }

  /** Reserves the number by files for those before it, then signals the server. */
  #beginPromotion(run: Run, branch: Branch): void {
    const { disk, server, truth, clock, name } = this.host;
    const data = disk.data;
    if (run.phase === "primary" || run.phase === "promoting") return;
    if (run.phase !== "standby" || data === undefined) {
      throw new AppError("PG_PROMOTE_FAILED", "promoting", `the server is ${run.phase}`);
    }
    truth.tell({
      kind: "promotion-begun",
      host: name,
      term: branch.term,
      armed: this.host.fence?.armed,
      hostNow: clock.now(),
    });
    disk.record(disk.lineage.filter((b) => b.timeline < branch.timeline));
    disk.pending = branch;
    if (this.#flaws.noTimelineReservation !== true) {
      if (data.historyFiles.has(branch.timeline)) {
        throw new AppError(
          "PG_PROMOTE_FAILED",
          "promoting",
          `timeline ${branch.timeline} is taken`,
        );
      }
      for (let n = data.branch.timeline + 1; n < branch.timeline; n++) data.historyFiles.add(n);
    }
    server.promote(run, branch.term, branch.timeline);
  }

  /** The end by force, with its proof; not even an abort leaves a server half stopped. */
  async #kill(): Promise<void> {
    const never = new AbortController().signal;
    const report = await this.#fence.killServer(300, 10_000, never);
    if (!report.down)
      throw new AppError("PG_STOP_TIMEOUT", "stopping the server", "processes remain");
  }

  recordLineage(lineage: Lineage, signal: AbortSignal): Promise<void> {
    return this.#work("recording the lineage", 1, signal, () => {
      this.#needSpace("recording the lineage");
      this.host.disk.record(lineage);
    });
  }

  applySettings(plan: ServerPlan, signal: AbortSignal): Promise<void> {
    return this.#work("writing settings", 5, signal, () => {
      this.#needSpace("writing settings");
      if (this.host.disk.data !== undefined) this.host.disk.data.settings = settingsText(plan);
    });
  }

  setSyncNames(names: SyncNames, signal: AbortSignal): Promise<void> {
    return setSyncNames({ host: this.host, agent: this.agent, signal }, names);
  }

  proveClosed(timeoutMs: Ms, signal: AbortSignal): Promise<ClosedGate> {
    return proveClosed({ host: this.host, agent: this.agent, signal }, timeoutMs);
  }

  crashEnd(from: Lsn, lineage: Lineage, timeoutMs: Ms, signal: AbortSignal): Promise<CrashEnd> {
    const { disk, server, dice } = this.host;
    const bytes = Math.max((disk.data?.end ?? 0) - Number(from), 0);
    const ms = 110 + bytes / 150_000 + disk.slowMs;
    return askAfter<CrashEnd>(this.host.kernel, {
      process: this.agent,
      attempt: "reading the end of WAL",
      signal,
      ms: Math.min(ms, timeoutMs),
      work: () => {
        if (ms > timeoutMs) return { kind: "unknown", why: "the scan took too long" };
        if (server.run !== undefined) return { kind: "unknown", why: "the server is not down" };
        if (!isSameBranch(headOf(disk.recordedLineage()), headOf(lineage)))
          return { kind: "unknown", why: "the data is on another branch of history" };
        if (disk.data === undefined || dice.chance(0.02))
          return { kind: "unknown", why: "the scan failed" };
        return { kind: "end", lsn: lsn(Math.floor(disk.data.end)) };
      },
    });
  }

  #needSpace(attempt: string): void {
    if (this.host.disk.full) throw new AppError("PG_DISK_FULL", attempt);
  }

  #work(attempt: string, ms: number, signal: AbortSignal, work: () => void): Promise<void> {
    return askAfter(this.host.kernel, { process: this.agent, attempt, ms, signal, work });
  }

  /** A statement: needs a server that answers. */
  #sql(attempt: string, signal: AbortSignal, work: (run: Run) => void): Promise<void> {
    return this.#work(attempt, this.host.server.profile.sqlMs, signal, () => {
      const run = this.host.server.run;
      if (run === undefined || run.phase === "starting")
        throw new AppError("PG_SQL_FAILED", attempt, "no server");
      if (run.frozen) throw new AppError("PG_SQL_TIMEOUT", attempt, "no answer");
      work(run);
    });
  }

  /** Waits for a phase of the server, bounded by the agent's clock. */
  #until(
    attempt: string,
    timeoutMs: Ms,
    signal: AbortSignal,
    isThere: (run: Run | undefined) => boolean,
  ): Promise<void> {
    const { server, kernel } = this.host;
    return ask<void>({
      process: this.agent,
      attempt,
      signal,
      begin: (reply) => {
        const end = (): void => {
          server.forgetPhase(look);
          timeout.cancel();
        };
        const look = (): void => {
          try {
            if (!isThere(server.run)) return;
            end();
            reply.ok();
          } catch (error) {
            end();
            if (error instanceof AppError) reply.fail(error);
            else throw error;
          }
        };
        const timeout = kernel.after(timeoutMs, () => {
          end();
          const code = attempt === "promoting" ? "PG_PROMOTE_FAILED" : "PG_START_TIMEOUT";
          reply.fail(new AppError(code, attempt, `not within ${timeoutMs} ms`));
        });
        server.onPhase(look);
        look();
        return end;
      },
    });
  }
}

const isSameBranch = (mine: Branch | undefined, theirs: Branch | undefined): boolean =>
  mine?.timeline === theirs?.timeline && mine?.term === theirs?.term;
