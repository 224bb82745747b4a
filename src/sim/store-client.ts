// The Store port of one process: endpoints in turn, every call bounded, an answer that never came is "unknown".
import { AppError, type ErrorCode } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import type {
  CallOptions,
  Commit,
  Compare,
  Range,
  Store,
  StoreEvent,
  Write,
} from "../ports/store.ts";
import { ask, type Reply } from "./ask.ts";
import type { StoreMember } from "./store.ts";
import { reaches, type StoreClientParts } from "./store-path.ts";
import { watchStore } from "./store-watch.ts";

/** A request at a member: calls `answer` when it has one; may be called at once, later or never. */
type Serve<T> = (member: StoreMember, answer: (result: T | AppError) => void) => void;

interface Call<T> {
  readonly attempt: string;
  readonly options: CallOptions;
  /** A read can be asked again elsewhere; a write that was sent cannot. */
  readonly isRead: boolean;
  readonly serve: Serve<T>;
}

const LATE_MS = 9_000;

export class SimStoreClient implements Store {
  readonly parts: StoreClientParts;
  #preferred: number;
  /** Endpoints with an established connection: a cut is noticed only by silence. */
  readonly #connected = new Set<StoreMember>();

  constructor(parts: StoreClientParts) {
    this.parts = parts;
    const own = parts.store.members.findIndex((m) => m.host === parts.host);
    this.#preferred = Math.max(own, 0);
  }

  range(prefix: string, options: CallOptions): Promise<Range> {
    const { store } = this.parts;
    return this.#call({
      attempt: "reading the store",
      options,
      isRead: true,
      serve: (member, answer) =>
        store.propose(member, () =>
          answer({ header: store.header(), entries: store.state.range(prefix) }),
        ),
    });
  }

  commit(
    compares: readonly Compare[],
    writes: readonly Write[],
    options: CallOptions,
  ): Promise<Commit> {
    const { store, onApplied } = this.parts;
    return this.#call({
      attempt: "writing to the store",
      options,
      isRead: false,
      serve: (member, answer) =>
        store.propose(member, () => {
          const applied = store.state.commit(compares, writes);
          if (applied.kind === "done" && applied.succeeded) onApplied(writes);
          if (applied.kind === "done")
            answer({ succeeded: applied.succeeded, header: store.header() });
          else if (applied.kind === "no-space")
            answer(new AppError("STORE_NO_SPACE", "writing to the store"));
          else answer({ succeeded: false, header: store.header() });
        }),
    });
  }

  grant(
    leaseId: string,
    ttlMs: Ms,
    options: CallOptions,
  ): Promise<{ readonly ttlMs: Ms } | "exists"> {
    const { store } = this.parts;
    return this.#call<{ readonly ttlMs: Ms } | "exists">({
      attempt: "granting a lease",
      options,
      isRead: false,
      serve: (member, answer) =>
        store.propose(member, () => answer(store.grant(leaseId, ttlMs) ? { ttlMs } : "exists")),
    });
  }

  keepAlive(leaseId: string, options: CallOptions): Promise<{ readonly ttlMs: Ms } | "gone"> {
    const { store } = this.parts;
    return this.#call<{ readonly ttlMs: Ms } | "gone">({
      attempt: "keeping a lease alive",
      options,
      isRead: true,
      serve: (member, answer) => {
        const result = store.keepAlive(member, leaseId);
        if (result !== undefined) answer(result);
      },
    });
  }

  watch(
    prefix: string,
    onEvents: (events: readonly StoreEvent[]) => void,
    onGap: () => void,
    signal: AbortSignal,
  ): void {
    watchStore({ parts: this.parts, prefix, onEvents, onGap, signal });
  }

  #call<T>(call: Call<T>): Promise<T> {
    const { process, store, dice } = this.parts;
    return ask<T>({
      process,
      attempt: call.attempt,
      signal: call.options.signal,
      aborted: () =>
        new AppError(call.isRead ? "STORE_UNREACHABLE" : "STORE_UNKNOWN", call.attempt, "given up"),
      begin: (reply) => {
        const { timeoutMs } = call.options;
        const trip = new Trip<T>(this.parts, call, reply);
        const tries = store.members.length;
        const share = Math.min(call.isRead ? timeoutMs / tries : timeoutMs, timeoutMs / 2);
        const tryNext = (n: number): void => {
          if (trip.isOver) return;
          const member = n < tries ? store.members[(this.#preferred + n) % tries] : undefined;
          if (member === undefined) {
            trip.mayFail();
            return;
          }
          trip.attempt(member, this.#connected, {
            share,
            next: () => tryNext(n + 1),
            answered: () => {
              this.#preferred = store.members.indexOf(member);
            },
          });
        };
        tryNext(0);
        if (dice.chance(0.001)) this.#preferred = dice.integer(tries);
        return () => trip.abandon();
      },
    });
  }
}

/** One request on its way to one member and back. */
interface Way {
  /** The time from which on its silence is noticed. */
  readonly silentFrom: number;
  readonly answered: () => void;
  /** It may not come back in time: silence is watched for. */
  readonly doubt: () => void;
}

interface Leg {
  readonly share: number;
  readonly next: () => void;
  readonly answered: () => void;
}

/**
 * One call from beginning to end, over as many endpoints as it takes. Its limits are set only when something on its
 * way may fail to come back in time: nearly every call is answered, and a timer that is cancelled costs as much as one
 * that fires.
 */
class Trip<T> {
  readonly #parts: StoreClientParts;
  readonly #call: Call<T>;
  readonly #reply: Reply<T>;
  readonly #beganAt: number;
  #hasDeadline = false;
  #wasSent = false;
  #wasRefused = false;
  isOver = false;

  constructor(parts: StoreClientParts, call: Call<T>, reply: Reply<T>) {
    this.#parts = parts;
    this.#call = call;
    this.#reply = reply;
    this.#beganAt = parts.store.kernel.now;
  }

  /** From now on the deadline of the whole call is watched. */
  mayFail(): void {
    if (this.#hasDeadline) return;
    this.#hasDeadline = true;
    const { kernel } = this.#parts.store;
    kernel.at(this.#beganAt + this.#call.options.timeoutMs, () => this.#fail());
  }

  #fail(): void {
    if (this.isOver) return;
    this.isOver = true;
    const isUnknown = this.#wasSent && !this.#call.isRead;
    if (isUnknown) this.#parts.onLostAnswer();
    const code: ErrorCode = isUnknown ? "STORE_UNKNOWN" : "STORE_UNREACHABLE";
    const why = this.#wasRefused ? "connection refused" : "no answer in time";
    this.#reply.fail(new AppError(code, this.#call.attempt, why));
  }

  abandon(): void {
    this.isOver = true;
  }

  attempt(member: StoreMember, connected: Set<StoreMember>, leg: Leg): void {
    const { store, host } = this.#parts;
    const { network, kernel } = store;
    if (reaches(network, host, member) && !member.isUp) {
      connected.delete(member);
      this.#wasRefused = true;
      this.mayFail();
      kernel.after(network.latency(host, member.address) * 2, leg.next);
      return;
    }
    if (!connected.has(member) && !reaches(network, host, member)) {
      this.mayFail();
      kernel.after(leg.share, leg.next); // no connection within its share of the time
      return;
    }
    this.#wasSent = true;
    const sentAt = kernel.now;
    let isDoubted = false;
    this.#send(member, {
      silentFrom: sentAt + leg.share,
      answered: () => {
        connected.add(member);
        leg.answered();
      },
      doubt: () => {
        if (isDoubted || this.isOver) return;
        isDoubted = true;
        this.mayFail();
        kernel.at(sentAt + leg.share, () => {
          if (this.isOver) return;
          connected.delete(member);
          if (this.#call.isRead) leg.next();
        });
      },
    });
  }

  #send(member: StoreMember, way: Way): void {
    const { store, host, faults, dice } = this.#parts;
    const { network, kernel } = store;
    const isLate = !this.#call.isRead && dice.chance(faults.applyLate);
    const extra = faults.delayMs * faults.askShare + (isLate ? dice.between(0, LATE_MS) : 0);
    const isLost = dice.chance(faults.loseAnswers);
    const isCarried = network.carries(host, member.address);
    if (!isCarried || isLate || isLost) way.doubt();
    if (!isCarried) return;
    const ms = network.latency(host, member.address) + extra;
    if (kernel.now + ms >= way.silentFrom) way.doubt();
    kernel.after(ms, () => {
      if (!network.carries(host, member.address) && !isLate) {
        way.doubt();
        return;
      }
      let isServed = false;
      store.arrive(member, () =>
        this.#call.serve(member, (result) => {
          isServed = true;
          if (!isLost && !isLate) this.#sendBack(member, result, way);
        }),
      );
      if (!isServed) way.doubt();
    });
  }

  #sendBack(member: StoreMember, result: T | AppError, way: Way): void {
    const { store, host, faults } = this.#parts;
    const { network, kernel } = store;
    const message = (): void => {
      if (!network.carries(member.address, host)) {
        way.doubt();
        return;
      }
      const inMs = network.latency(member.address, host);
      if (kernel.now + inMs >= way.silentFrom) way.doubt();
      const deliver = (): void => this.#answer(result, way.answered);
      network.arrive(member.address, host, { inMs, deliver, lost: way.doubt });
    };
    const delay = faults.delayMs * (1 - faults.askShare);
    if (delay === 0) {
      message();
      return;
    }
    way.doubt();
    kernel.after(delay, message);
  }

  #answer(result: T | AppError, answered: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    answered();
    if (result instanceof AppError) this.#reply.fail(result);
    else this.#reply.ok(result);
  }
}
