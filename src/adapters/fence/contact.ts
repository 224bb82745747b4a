// What does the agent know of its fence? One connection, its last answer, and whether it still answers (R14).
import { AppError } from "../../model/error.ts";
import { after, between, type Ms } from "../../model/time.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { FenceEvent, FenceStatus } from "../../ports/fence.ts";
import type { Log } from "../../ports/log.ts";
import { type FenceLink, type Limits, NoFence, openLink } from "./link.ts";
import { ACK_LIMIT_MS, type Answer, type Notice, type Request } from "./protocol.ts";

export interface ContactOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly stateDir: string;
}

/** `absent`: none listens. `deaf`: one listens and does not answer. */
export type Greeting = "friend" | "absent" | "deaf";

/** A fence that is merely slow gets this long before it is replaced, and its server with it. */
export const HELLO_LIMIT_MS: Ms = 2000;
const PING_EVERY_MS: Ms = 1000;
/** Both sides read one clock; more than this apart and an instant means something else to each. */
const CLOCK_SLACK_MS: Ms = 100;

const UNKNOWN: FenceStatus = {
  alive: false,
  armed: undefined,
  unguarded: undefined,
  leaseId: undefined,
  serverPid: undefined,
  acknowledgedAt: undefined,
  roundTripMs: undefined,
  lacking: [],
  watchdog: "off",
};

export class Contact {
  readonly #options: ContactOptions;
  readonly #listeners: ((event: FenceEvent) => void)[] = [];
  /** Wake those who wait for a fence which has just been lost. */
  readonly #onLost = new Set<() => void>();
  #status: FenceStatus = UNKNOWN;
  #link: FenceLink | undefined;
  #ping: Timer | undefined;
  #isSuperseded = false;
  #isClosed = false;
  /** An answer that lay before the notice of its end in the socket may be read after it. */
  #endedPid: number | undefined;

  constructor(options: ContactOptions) {
    this.#options = options;
  }

  get status(): FenceStatus {
    return this.#status;
  }

  get isAlive(): boolean {
    return this.#link !== undefined && this.#status.alive;
  }

  onEvent(listener: (event: FenceEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves once the fence is lost. */
  lost(): Promise<void> {
    return new Promise((resolve) => this.#onLost.add(resolve));
  }

  refuseIfSuperseded(attempt: string): void {
    if (!this.#isSuperseded) return;
    throw new AppError("NAME_IN_USE", attempt, "a newer agent has taken over the fence");
  }

  close(): void {
    this.#isClosed = true;
    this.#ping?.cancel();
    this.#link?.close();
    this.#link = undefined;
  }

  /** Introduces us to the fence that listens, if one does. Throws on a failure of our own. */
  async greet(signal: AbortSignal): Promise<Greeting> {
    let link: FenceLink | undefined;
    try {
      link = await openLink(this.#options.stateDir, this.#options.clock, {
        onNotice: (notice) => this.#onNotice(notice),
        onClose: () => this.#onClose(link),
      });
    } catch (error) {
      // Having no file descriptor left, for one, is no reason to take the fence for dead.
      if (error instanceof NoFence && error.isAbsent) return "absent";
      throw error;
    }
    const previous = this.#link;
    this.#link = link;
    previous?.close();
    try {
      const hello: Request = { do: "hello", agentPid: process.pid };
      await this.#exchange(link, hello, { limitMs: HELLO_LIMIT_MS, signal });
    } catch {
      if (this.#link === link) this.#link = undefined;
      link.close();
      return "deaf";
    }
    this.#pingLater(link);
    return "friend";
  }

  /** One request; without an answer FENCE_LOST, and the fence counts as lost. A refusal is an answer. */
  async ask(body: Request, limits: Limits): Promise<Answer> {
    const attempt = `asking the fence to ${body.do}`;
    this.refuseIfSuperseded(attempt);
    const link = this.#link;
    if (link === undefined) throw new AppError("FENCE_LOST", attempt, "there is no connection");
    return this.#exchange(link, body, limits);
  }

  /** A request whose refusal is an error. */
  async demand(body: Request, limits: Limits): Promise<Answer & { readonly ok: true }> {
    const answer = await this.ask(body, limits);
    if (answer.ok) return answer;
    throw new AppError(answer.code, `asking the fence to ${body.do}`, answer.why);
  }

  /** One request with everything that an answer, or its absence, teaches us. */
  async #exchange(link: FenceLink, body: Request, limits: Limits): Promise<Answer> {
    const { clock } = this.#options;
    const sentAt = clock.now();
    // The system may give a new server the number of one that has ended.
    if (body.do === "start") this.#endedPid = undefined;
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
    if (this.#link === link) this.#remember(answer, arrivedAt, between(sentAt, arrivedAt));
    return answer;
  }

  #remember({ status }: Answer, acknowledgedAt: FenceStatus["acknowledgedAt"], tripMs: Ms): void {
    const isOver = status.serverPid !== null && this.#endedPid === status.serverPid;
    this.#status = {
      alive: true,
      armed: status.armed ?? undefined,
      unguarded: isOver ? undefined : (status.unguarded ?? undefined),
      leaseId: status.leaseId ?? undefined,
      serverPid: isOver ? undefined : (status.serverPid ?? undefined),
      acknowledgedAt,
      roundTripMs: tripMs,
      lacking: status.lacking,
      watchdog: status.watchdog,
    };
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

  #onNotice(notice: Notice): void {
    if (notice.kind === "superseded") {
      this.#isSuperseded = true;
      this.#options.log.error("another agent of this node has taken over the fence");
      return;
    }
    if (notice.kind === "server-exit") this.#endedPid = notice.pid;
    const gone =
      notice.kind === "server-exit"
        ? { serverPid: undefined, unguarded: undefined }
        : { armed: undefined };
    this.#status = { ...this.#status, ...gone };
    this.#emit(notice);
  }

  #onClose(link: FenceLink | undefined): void {
    if (this.#link !== link || this.#isClosed) return;
    this.#link = undefined;
    // What it was last armed for stays known: PostgreSQL must be down by then (R14), or may run on (R30).
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
}
