// The agent's end of the fence: one connection, its own measure of the round trip, never a guess.
import { AppError } from "../model/error.ts";
import { type Instant, instant } from "../model/time.ts";
import type { Fence, FenceEvent, FenceStatus, KillReport, ServerCommand } from "../ports/fence.ts";
import { ask, type Reply } from "./ask.ts";
import type { FenceProcess } from "./fence.ts";
import type { SimHost } from "./host.ts";
import type { SimProcess } from "./process.ts";
import { takeDown } from "./take-down.ts";

const ROUND_TRIP_MS = 0.3;
const SPAWN_MS = 90;
/** No acknowledgement for so long means that the fence is lost (R14). */
const SILENCE_MS = 500;
const PING_EVERY_MS = 1_000;

export class SimFence implements Fence {
  readonly #host: SimHost;
  readonly #agent: SimProcess;
  readonly #listeners: ((event: FenceEvent) => void)[] = [];
  #generation = 0;
  #fence: FenceProcess | undefined;
  #acknowledgedAt: Instant | undefined;
  #isAnswering = false;
  /** True time; the pings follow at whole seconds. */
  #connectedAt = 0;
  #isSuperseded = false;
  #known: Pick<FenceStatus, "armed" | "unguarded" | "leaseId" | "serverPid"> = {
    armed: undefined,
    unguarded: undefined,
    leaseId: undefined,
    serverPid: undefined,
  };

  constructor(host: SimHost, agent: SimProcess) {
    this.#host = host;
    this.#agent = agent;
    agent.onDeath(() => this.#fence?.disconnect(this.#generation));
  }

  status(): FenceStatus {
    this.#refresh();
    const { armed, unguarded, leaseId, serverPid } = this.#known;
    return {
      alive: this.#isAnswering && this.#fence?.process.isAlive === true,
      armed,
      unguarded,
      leaseId,
      serverPid,
      acknowledgedAt: this.#acknowledgedAt,
      roundTripMs: this.#acknowledgedAt === undefined ? undefined : ROUND_TRIP_MS,
      lacking: [],
      watchdog: this.#host.watchdog,
    };
  }

  onEvent(listener: (event: FenceEvent) => void): void {
    this.#listeners.push(listener);
  }

  ensure(signal: AbortSignal): Promise<void> {
    return ask<void>({
      process: this.#agent,
      attempt: "connecting to the fence",
      signal,
      begin: (reply) => {
        if (this.#isSuperseded) {
          reply.fail(superseded("connecting to the fence"));
          return undefined;
        }
        const running = this.#host.fence;
        if (running === undefined || !running.process.isAlive) {
          this.#spawn(reply);
        } else if (running === this.#fence && running.isCurrent(this.#generation)) {
          this.#ping(running, reply);
        } else {
          this.#connect(running, reply);
        }
        return undefined;
      },
    });
  }

  /** Asks a fence; silence means that it is killed and replaced. */
  #ping(fence: FenceProcess, reply: Reply<void>): void {
    this.#roundTrip(
      fence,
      () => reply.ok(),
      () => this.#replace(fence, reply),
    );
  }

  #connect(fence: FenceProcess, reply: Reply<void>): void {
    this.#roundTrip(
      fence,
      () => {
        this.#adoptFence(fence);
        reply.ok();
      },
      () => this.#replace(fence, reply),
    );
  }

  #replace(fence: FenceProcess, reply: Reply<void>): void {
    fence.process.kill();
    this.#spawn(reply);
  }

  #spawn(reply: Reply<void>): void {
    this.#host.kernel.after(SPAWN_MS, () => {
      if (!this.#agent.isAlive || !this.#host.isUp) return;
      const other = this.#host.fence;
      if (other?.process.isAlive === true) {
        this.#connect(other, reply);
        return;
      }
      const fence = this.#host.spawnFence();
      this.#adoptFence(fence);
      reply.ok();
    });
  }

  #adoptFence(fence: FenceProcess): void {
    const isNew = this.#fence !== fence;
    if (isNew) this.#connectedAt = this.#host.kernel.now;
    this.#fence = fence;
    this.#generation = fence.connect({
      agent: this.#agent,
      onExit: (pid, how) =>
        this.#tell({
          kind: "server-exit",
          pid,
          code: how === "exit 0" ? 0 : undefined,
          signal: how,
        }),
      onSuperseded: () => {
        this.#isSuperseded = true;
        this.#isAnswering = false;
      },
      onFired: (term) => this.#tell({ kind: "fired", term }),
      onLost: () => this.#lost(fence),
    });
    this.#heard(fence);
    if (isNew) fence.process.onPause(() => this.#keepPinging(fence));
  }

  /**
   * The agent asks once a second. While the fence answers that changes nothing but the time of the last answer, which
   * `status` knows anyway: the questions are played from the moment that the fence is stopped, until it answers again.
   */
  #keepPinging(fence: FenceProcess): void {
    const { kernel } = this.#host;
    const ping = (): void => {
      if (this.#fence !== fence || !this.#agent.isAlive || !fence.process.isAlive) return;
      if (fence.process.isRunning && this.#isAnswering) return;
      if (this.#agent.isRunning) {
        this.#roundTrip(
          fence,
          () => undefined,
          () => this.#lost(fence),
        );
      }
      kernel.after(PING_EVERY_MS, ping);
    };
    const sinceLast = (kernel.now - this.#connectedAt) % PING_EVERY_MS;
    kernel.after(PING_EVERY_MS - sinceLast, ping);
  }

  /** One question to the fence process and its answer; `silent` after half a second without one. */
  #roundTrip(fence: FenceProcess, answered: () => void, silent: () => void): void {
    const { kernel } = this.#host;
    kernel.after(ROUND_TRIP_MS, () => {
      let isOver = false;
      const isPrompt = fence.process.isRunning;
      fence.process.deliver(() => {
        if (isOver) return;
        isOver = true;
        answered();
        this.#heard(fence);
      });
      if (isPrompt) return;
      kernel.after(SILENCE_MS - ROUND_TRIP_MS, () => {
        if (isOver) return;
        isOver = true;
        silent();
      });
    });
  }

  /** What the pings of the last second would have brought. */
  #refresh(): void {
    const fence = this.#fence;
    const now = this.#host.clock.now();
    const isOld = now - (this.#acknowledgedAt ?? now) >= PING_EVERY_MS;
    if (isOld && fence?.process.isRunning === true && this.#isAnswering) this.#heard(fence);
  }

  #heard(fence: FenceProcess): void {
    if (this.#fence !== fence) return;
    this.#isAnswering = true;
    this.#acknowledgedAt = instant(this.#host.clock.now());
    this.#known = {
      armed:
        fence.armed === undefined
          ? undefined
          : { term: fence.armed.term, until: instant(fence.armed.until) },
      unguarded: fence.unguarded,
      leaseId: fence.leaseId,
      serverPid: fence.childPid,
    };
  }

  #lost(fence: FenceProcess): void {
    if (this.#fence !== fence || !this.#isAnswering) return;
    this.#isAnswering = false;
    if (!fence.process.isAlive) this.#known = { ...this.#known, serverPid: undefined };
    this.#tell({ kind: "lost" });
  }

  #tell(event: FenceEvent): void {
    this.#host.kernel.after(0.1, () =>
      this.#agent.deliver(() => {
        if (this.#fence !== undefined && event.kind !== "lost") this.#heard(this.#fence);
        for (const listener of this.#listeners) listener(event);
      }),
    );
  }

  /** A command to the fence, refused when another agent has taken over or nobody answers. */
  #command<T>(
    attempt: string,
    signal: AbortSignal,
    run: (fence: FenceProcess, reply: Reply<T>) => void,
  ): Promise<T> {
    return ask<T>({
      process: this.#agent,
      attempt,
      signal,
      begin: (reply) => {
        if (this.#isSuperseded) {
          reply.fail(superseded(attempt));
          return undefined;
        }
        const fence = this.#fence;
        const lost = (): void => reply.fail(new AppError("FENCE_LOST", attempt));
        if (fence === undefined || !fence.process.isAlive) {
          this.#host.kernel.after(ROUND_TRIP_MS, lost);
          return undefined;
        }
        this.#roundTrip(
          fence,
          () => {
            if (fence.isCurrent(this.#generation)) run(fence, reply);
            else reply.fail(superseded(attempt));
          },
          () => {
            this.#lost(fence);
            lost();
          },
        );
        return undefined;
      },
    });
  }

  adopt(leaseId: string, signal: AbortSignal): Promise<void> {
    return this.#command<void>("telling the fence its lease", signal, (fence, reply) => {
      fence.leaseId = leaseId;
      reply.ok();
    });
  }

  arm(term: number, until: Instant, signal: AbortSignal): Promise<void> {
    return this.#command<void>("arming the fence", signal, (fence, reply) => {
      answer(reply, "arming the fence", fence.arm({ term, until }));
    });
  }

  disarm(signal: AbortSignal): Promise<void> {
    return this.#command<void>("disarming the fence", signal, (fence, reply) => {
      answer(reply, "disarming the fence", fence.disarm());
    });
  }

  unguard(term: number, signal: AbortSignal): Promise<void> {
    return this.#command<void>("letting the server go", signal, (fence, reply) => {
      answer(reply, "letting the server go", fence.unguard(term));
    });
  }

  startServer(command: ServerCommand, signal: AbortSignal): Promise<{ readonly pid: number }> {
    return this.#command<{ readonly pid: number }>(
      "starting the server",
      signal,
      (fence, reply) => {
        const started = fence.startServer(command);
        if ("pid" in started) reply.ok(started);
        else reply.fail(new AppError("PG_START_FAILED", "starting the server", started.why));
      },
    );
  }

  async killServer(graceMs: number, timeoutMs: number, signal: AbortSignal): Promise<KillReport> {
    const attempt = "ending the server";
    try {
      return await this.#command<KillReport>(attempt, signal, (fence, reply) => {
        fence.kill(graceMs, () => reply.ok(this.#report()));
        this.#host.kernel.after(timeoutMs, () => reply.ok(this.#report()));
      });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "FENCE_LOST") throw error;
      return this.#killHere(graceMs, timeoutMs, signal);
    }
  }

  #report(): KillReport {
    const isDown = this.#host.server.run === undefined;
    return { down: isDown, remaining: isDown ? 0 : 1 };
  }

  /** The fence is gone or frozen: the agent does its work by the same code. */
  #killHere(graceMs: number, timeoutMs: number, signal: AbortSignal): Promise<KillReport> {
    const { server, kernel } = this.#host;
    return ask<KillReport>({
      process: this.#agent,
      attempt: "ending the server",
      signal,
      begin: (reply) => {
        const how = { server, kernel, process: this.#agent, graceMs, reachesBackends: true };
        takeDown(how, () => reply.ok(this.#report()));
        kernel.after(timeoutMs, () => reply.ok(this.#report()));
        return undefined;
      },
    });
  }
}

/** R11: the fence obeys the agent that said hello last. */
const superseded = (attempt: string): AppError =>
  new AppError("NAME_IN_USE", attempt, "a newer agent has taken over the fence");

function answer(reply: Reply<void>, attempt: string, why: string | undefined): void {
  if (why === undefined) reply.ok();
  else reply.fail(new AppError("FENCE_UNARMED", attempt, why));
}
