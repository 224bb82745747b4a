// The agent's end of the fence: it finds or starts the process, speaks with it, and notices when it is lost (R14).
import { AppError } from "../../model/error.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type {
  Fence,
  FenceEvent,
  FenceStatus,
  KillReport,
  ServerCommand,
} from "../../ports/fence.ts";
import type { Log } from "../../ports/log.ts";
import type { OsUser } from "../system/os-user.ts";
import { type FenceProgram, launchFence, removeFence } from "./launch.ts";
import { FenceLink, type Limits, openLink } from "./link.ts";
import { ACK_LIMIT_MS, type Answer, type Notice, type Request } from "./protocol.ts";
import { takeDown } from "./takedown.ts";

export interface FenceOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Holds the fence's socket, lock and log. */
  readonly stateDir: string;
  readonly dataDir: string;
  /** The bundle dist/fence.mjs. */
  readonly fenceProgram: string;
  readonly nodePath?: string;
  /** Whom the server runs as, when we are root. */
  readonly user?: OsUser | undefined;
  readonly watchdog?: { readonly device: string; readonly timeoutMs: Ms } | undefined;
  /** How long a fence with nothing to guard outlives its agent. */
  readonly idleExitMs?: Ms;
}

export interface FenceClient extends Fence {
  /** Ends the fence itself: refused while a server runs or the deadline stands. */
  quit(signal: AbortSignal): Promise<void>;
  /** Leaves fence and server as they are and stops listening (detach, or the end of the agent). */
  close(): void;
}

const PING_EVERY_MS: Ms = 1000;
const START_LIMIT_MS: Ms = 10_000;
const START_POLL_MS: Ms = 20;
const IDLE_EXIT_MS: Ms = 60_000;
const SPAWN_LIMIT_MS: Ms = 5000;
/** A fence that is merely slow gets this long before it is replaced, and its server with it. */
const HELLO_LIMIT_MS: Ms = 2000;
/** Both sides read one clock; more than this apart and an instant means something else to each. */
const CLOCK_SLACK_MS: Ms = 100;

const UNKNOWN: FenceStatus = {
  alive: false,
  armed: undefined,
  leaseId: undefined,
  serverPid: undefined,
  acknowledgedAt: undefined,
  roundTripMs: undefined,
  lacking: [],
  watchdog: "off",
};

export const createFence = (options: FenceOptions): FenceClient => new Client(options);

class Client implements FenceClient {
  readonly #options: FenceOptions;
  readonly #listeners: ((event: FenceEvent) => void)[] = [];
  #status: FenceStatus = UNKNOWN;
  #link: FenceLink | undefined;
  #ensuring: Promise<void> | undefined;
  #ping: Timer | undefined;
  /** Wake kills that wait for a fence which has just been lost. */
  readonly #onLost = new Set<() => void>();
  #isSuperseded = false;
  #isClosed = false;

  constructor(options: FenceOptions) {
    this.#options = options;
  }

  status(): FenceStatus {
    return this.#status;
  }

  onEvent(listener: (event: FenceEvent) => void): void {
    this.#listeners.push(listener);
  }

  async ensure(signal: AbortSignal): Promise<void> {
    if (this.#link !== undefined && this.#status.alive) return;
    // Two callers at once must not start two fences.
    this.#ensuring ??= this.#connect(signal).finally(() => {
      this.#ensuring = undefined;
    });
    await this.#ensuring;
  }

  async adopt(leaseId: string, signal: AbortSignal): Promise<void> {
    await this.#demand({ do: "adopt", leaseId }, { limitMs: ACK_LIMIT_MS, signal });
  }

  async arm(term: number, until: Instant, signal: AbortSignal): Promise<void> {
    await this.#demand({ do: "arm", term, until }, { limitMs: ACK_LIMIT_MS, signal });
  }

  async disarm(signal: AbortSignal): Promise<void> {
    await this.#demand({ do: "disarm" }, { limitMs: ACK_LIMIT_MS, signal });
  }

  async startServer(
    command: ServerCommand,
    signal: AbortSignal,
  ): Promise<{ readonly pid: number }> {
    const request: Request = { do: "start", command };
    const answer = await this.#demand(request, { limitMs: SPAWN_LIMIT_MS, signal });
    if (answer.pid === undefined) {
      throw new AppError("PG_START_FAILED", "starting the server", "the fence named no process");
    }
    return { pid: answer.pid };
  }

  async killServer(graceMs: Ms, timeoutMs: Ms, signal: AbortSignal): Promise<KillReport> {
    this.#refuseIfSuperseded("ending the server");
    const begun = this.#options.clock.now();
    const report = await this.#killThroughFence(graceMs, timeoutMs, signal);
    if (report !== undefined) return report;
    signal.throwIfAborted();
    // The fence is gone or frozen: its work is done here, by the same code.
    const { clock, dataDir, log } = this.#options;
    const used = between(begun, clock.now());
    log.warn("the fence does not answer, the agent ends the server itself", { dataDir });
    return await takeDown({
      dataDir,
      now: clock.now,
      graceMs,
      timeoutMs: Math.max(0, timeoutMs - used),
      signal,
    });
  }

  async quit(signal: AbortSignal): Promise<void> {
    if (this.#link === undefined) return;
    await this.#demand({ do: "quit" }, { limitMs: ACK_LIMIT_MS, signal });
    this.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#ping?.cancel();
    this.#link?.close();
    this.#link = undefined;
  }

  /** Frozen or slow shows within one acknowledgement's time, while the work itself may take long. */
  async #killThroughFence(
    graceMs: Ms,
    timeoutMs: Ms,
    signal: AbortSignal,
  ): Promise<KillReport | undefined> {
    const link = this.#link;
    if (link === undefined || !this.#status.alive) return undefined;
    const kill = link
      .request({ do: "kill", graceMs, timeoutMs }, { limitMs: timeoutMs + ACK_LIMIT_MS, signal })
      .then((answer) => {
        this.#remember(link, answer);
        return answer.ok ? answer.report : undefined;
      })
      .catch(() => undefined);
    const lost = new Promise<undefined>((resolve) => {
      this.#onLost.add(() => resolve(undefined));
    });
    this.#exchange(link, { do: "ping" }, { limitMs: ACK_LIMIT_MS, signal }).catch(() => undefined);
    return await Promise.race([kill, lost]);
  }

  async #connect(signal: AbortSignal): Promise<void> {
    this.#refuseIfSuperseded("connecting to the fence");
    const { clock, stateDir, dataDir, user, watchdog, idleExitMs, log } = this.#options;
    using limit = clock.deadline(START_LIMIT_MS, signal);
    if (await this.#tryHello(limit.signal)) return;
    limit.signal.throwIfAborted();
    removeFence(stateDir);
    const pid = launchFence(this.#program(), {
      stateDir,
      dataDir,
      ...(user && { user }),
      ...(watchdog && { watchdog }),
      idleExitMs: idleExitMs ?? IDLE_EXIT_MS,
    });
    log.debug("a fence was started", { pid });
    while (!(await this.#tryHello(limit.signal))) {
      if (limit.signal.aborted) {
        signal.throwIfAborted();
        const why = `no answer in ${START_LIMIT_MS} ms, see fence.log in ${stateDir}`;
        throw new AppError("FENCE_LOST", "starting the fence", why);
      }
      await clock.sleep(START_POLL_MS);
    }
  }

  #program(): FenceProgram {
    return {
      nodePath: this.#options.nodePath ?? process.execPath,
      path: this.#options.fenceProgram,
    };
  }

  /** True once a fence has accepted us; false when none listens or answers. */
  async #tryHello(signal: AbortSignal): Promise<boolean> {
    let link: FenceLink | undefined;
    try {
      link = await openLink(this.#options.stateDir, this.#options.clock, {
        onNotice: (notice) => this.#onNotice(notice),
        onClose: () => this.#onClose(link),
      });
      const previous = this.#link;
      this.#link = link;
      previous?.close();
      await this.#exchange(
        link,
        { do: "hello", agentPid: process.pid },
        { limitMs: HELLO_LIMIT_MS, signal },
      );
      this.#pingLater(link);
      return true;
    } catch {
      if (this.#link === link) this.#link = undefined;
      link?.close();
      return false;
    }
  }

  #pingLater(link: FenceLink): void {
    const { clock } = this.#options;
    this.#ping?.cancel();
    this.#ping = clock.wakeAt(after(clock.now(), PING_EVERY_MS), () => {
      if (this.#link !== link) return;
      const limits = { limitMs: ACK_LIMIT_MS, signal: new AbortController().signal };
      void this.#exchange(link, { do: "ping" }, limits)
        .catch(() => undefined)
        .finally(() => {
          if (this.#link === link) this.#pingLater(link);
        });
    });
  }

  /** A request whose refusal is an error. */
  async #demand(body: Request, limits: Limits): Promise<Answer & { readonly ok: true }> {
    this.#refuseIfSuperseded(`asking the fence to ${body.do}`);
    const link = this.#link;
    if (link === undefined) {
      throw new AppError("FENCE_LOST", `asking the fence to ${body.do}`, "there is no connection");
    }
    const answer = await this.#exchange(link, body, limits);
    if (answer.ok) return answer;
    throw new AppError(answer.code, `asking the fence to ${body.do}`, answer.why);
  }

  /** One request with everything that an answer, or its absence, teaches us. */
  async #exchange(link: FenceLink, body: Request, limits: Limits): Promise<Answer> {
    const { clock } = this.#options;
    const sentAt = clock.now();
    let answer: Answer;
    try {
      answer = await link.request(body, limits);
    } catch (error) {
      if (!limits.signal.aborted && this.#link === link) this.#lose();
      throw error;
    }
    const arrivedAt = clock.now();
    const { now } = answer.status;
    if (now < after(sentAt, -CLOCK_SLACK_MS) || now > after(arrivedAt, CLOCK_SLACK_MS)) {
      this.#lose();
      const why = `its clock reads ${Math.round(now)}, ours ${Math.round(arrivedAt)}`;
      throw new AppError("FENCE_LOST", `asking the fence to ${body.do}`, why);
    }
    this.#remember(link, answer);
    this.#status = {
      ...this.#status,
      acknowledgedAt: arrivedAt,
      roundTripMs: between(sentAt, arrivedAt),
    };
    return answer;
  }

  #remember(link: FenceLink, { status }: Answer): void {
    if (this.#link !== link) return;
    this.#status = {
      ...this.#status,
      alive: true,
      armed: status.armed ?? undefined,
      leaseId: status.leaseId ?? undefined,
      serverPid: status.serverPid ?? undefined,
      lacking: status.lacking,
      watchdog: status.watchdog,
    };
  }

  #onNotice(notice: Notice): void {
    if (notice.kind === "superseded") {
      this.#isSuperseded = true;
      this.#options.log.error("another agent of this node has taken over the fence");
      return;
    }
    if (notice.kind === "server-exit") this.#status = { ...this.#status, serverPid: undefined };
    this.#emit(notice);
  }

  #onClose(link: FenceLink | undefined): void {
    if (this.#link !== link || this.#isClosed) return;
    this.#link = undefined;
    // What it was last armed for stays known: PostgreSQL must be down by then (R14).
    this.#status = { ...this.#status, serverPid: undefined };
    this.#lose();
  }

  #lose(): void {
    if (!this.#status.alive) return;
    this.#status = { ...this.#status, alive: false };
    for (const wake of this.#onLost) wake();
    this.#onLost.clear();
    this.#emit({ kind: "lost" });
  }

  #emit(event: FenceEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #refuseIfSuperseded(attempt: string): void {
    if (!this.#isSuperseded) return;
    throw new AppError("NAME_IN_USE", attempt, "a newer agent has taken over the fence");
  }
}
