// The agent's end of the fence: it finds, starts or replaces the process, and speaks with it.
import { AppError, asAppError } from "../../model/error.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  Fence,
  FenceEvent,
  FenceStatus,
  KillReport,
  ServerCommand,
} from "../../ports/fence.ts";
import type { Log } from "../../ports/log.ts";
import type { OsUser } from "../system/os-user.ts";
import { Contact, HELLO_LIMIT_MS } from "./contact.ts";
import { type FenceArguments, launchFence, removeFence } from "./launch.ts";
import { readLockHolder } from "./lock.ts";
import { ACK_LIMIT_MS } from "./protocol.ts";
import { takeDown } from "./takedown.ts";
import type { WatchdogOptions } from "./watchdog.ts";

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
  readonly watchdog?: WatchdogOptions | undefined;
  /** How long a fence with nothing to guard outlives its agent. */
  readonly idleExitMs?: Ms;
}

export interface FenceClient extends Fence {
  /** Ends the fence itself: refused while a server runs or the deadline stands. */
  quit(signal: AbortSignal): Promise<void>;
  /** Leaves fence and server as they are and stops listening (detach, or the end of the agent). */
  close(): void;
}

const START_LIMIT_MS: Ms = 10_000;
const START_POLL_MS: Ms = 20;
const IDLE_EXIT_MS: Ms = 60_000;
const SPAWN_LIMIT_MS: Ms = 5000;

export const createFence = (options: FenceOptions): FenceClient => new Client(options);

class Client implements FenceClient {
  readonly #options: FenceOptions;
  readonly #contact: Contact;
  #ensuring: Promise<void> | undefined;

  constructor(options: FenceOptions) {
    this.#options = options;
    this.#contact = new Contact(options);
  }

  status(): FenceStatus {
    return this.#contact.status;
  }

  onEvent(listener: (event: FenceEvent) => void): void {
    this.#contact.onEvent(listener);
  }

  async ensure(signal: AbortSignal): Promise<void> {
    // The link of an older agent lives on for a moment after a newer one has taken over.
    this.#contact.refuseIfSuperseded("connecting to the fence");
    if (this.#contact.isAlive) return;
    // Two callers at once must not start two fences.
    this.#ensuring ??= this.#connect(signal).finally(() => {
      this.#ensuring = undefined;
    });
    await this.#ensuring;
  }

  async adopt(leaseId: string, signal: AbortSignal): Promise<void> {
    await this.#contact.demand({ do: "adopt", leaseId }, { limitMs: ACK_LIMIT_MS, signal });
  }

  async arm(term: number, until: Instant, signal: AbortSignal): Promise<void> {
    await this.#contact.demand({ do: "arm", term, until }, { limitMs: ACK_LIMIT_MS, signal });
  }

  async disarm(signal: AbortSignal): Promise<void> {
    await this.#contact.demand({ do: "disarm" }, { limitMs: ACK_LIMIT_MS, signal });
  }

  async unguard(term: number, signal: AbortSignal): Promise<void> {
    await this.#contact.demand({ do: "unguard", term }, { limitMs: ACK_LIMIT_MS, signal });
  }

  async startServer(
    command: ServerCommand,
    signal: AbortSignal,
  ): Promise<{ readonly pid: number }> {
    const limits = { limitMs: SPAWN_LIMIT_MS, signal };
    const { pid } = await this.#contact.demand({ do: "start", command }, limits);
    if (pid !== undefined) return { pid };
    throw new AppError("PG_START_FAILED", "starting the server", "the fence named no process");
  }

  async killServer(graceMs: Ms, timeoutMs: Ms, signal: AbortSignal): Promise<KillReport> {
    const attempt = "ending the server";
    this.#contact.refuseIfSuperseded(attempt);
    const { clock, dataDir, log } = this.#options;
    const begun = clock.now();
    const report = await this.#killThroughFence(graceMs, timeoutMs, signal);
    if (report !== undefined) return report;
    signal.throwIfAborted();
    // The fence is gone or frozen: its work is done here, by the same code.
    log.warn("the fence does not answer, the agent ends the server itself", { dataDir });
    const now = (): Instant => clock.now();
    const left = Math.max(0, timeoutMs - between(begun, now()));
    try {
      return await takeDown({ dataDir, now, graceMs, timeoutMs: left, signal });
    } catch (error) {
      throw asAppError(error, "NOT_POSSIBLE", attempt);
    }
  }

  async quit(signal: AbortSignal): Promise<void> {
    if (!this.#contact.isAlive) return;
    await this.#contact.demand({ do: "quit" }, { limitMs: ACK_LIMIT_MS, signal });
    this.close();
  }

  close(): void {
    this.#contact.close();
  }

  /** Frozen or dead shows within one acknowledgement's time, while the work itself may take long. */
  async #killThroughFence(
    graceMs: Ms,
    timeoutMs: Ms,
    signal: AbortSignal,
  ): Promise<KillReport | undefined> {
    const contact = this.#contact;
    if (!contact.isAlive) return undefined;
    const lost = contact.lost().then(() => undefined);
    const limitMs = timeoutMs + ACK_LIMIT_MS;
    const kill = contact.ask({ do: "kill", graceMs, timeoutMs }, { limitMs, signal }).then(
      (answer) => (answer.ok ? answer.report : undefined),
      () => undefined,
    );
    contact.ask({ do: "ping" }, { limitMs: ACK_LIMIT_MS, signal }).catch(() => undefined);
    return Promise.race([kill, lost]);
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { clock, stateDir, log } = this.#options;
    this.#contact.refuseIfSuperseded("connecting to the fence");
    using limit = clock.deadline(START_LIMIT_MS, signal);
    const patience = after(clock.now(), HELLO_LIMIT_MS);
    let isStarted = false;
    for (;;) {
      const greeting = await this.#contact.greet(limit.signal);
      if (greeting === "friend") return;
      signal.throwIfAborted();
      if (limit.signal.aborted) {
        const why = `no answer in ${START_LIMIT_MS} ms, see fence.log in ${stateDir}`;
        throw new AppError("FENCE_LOST", "starting the fence", why);
      }
      // A lock without a socket is a fence that is just starting, for a while.
      const isStarting = readLockHolder(stateDir) !== undefined && clock.now() < patience;
      if (!isStarted && (greeting === "deaf" || !isStarting)) {
        removeFence(stateDir);
        log.debug("a fence is started", { pid: this.#launch() });
        isStarted = true;
      }
      await clock.sleep(START_POLL_MS);
    }
  }

  #launch(): number {
    const options = this.#options;
    const { stateDir, dataDir, user, watchdog, idleExitMs = IDLE_EXIT_MS } = options;
    const program = { nodePath: options.nodePath ?? process.execPath, path: options.fenceProgram };
    const args: FenceArguments = {
      stateDir,
      dataDir,
      ...(user && { user }),
      ...(watchdog && { watchdog }),
      idleExitMs,
    };
    return launchFence(program, args);
  }
}
