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
import { asStranger } from "./stranger.ts";

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
  readonly #route: Route;

  constructor(parts: StoreClientParts) {
    this.parts = parts;
    const own = parts.store.members.findIndex((m) => m.host === parts.host);
    this.#route = { preferred: Math.max(own, 0), connected: new Set() };
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
    const { store, onApplied, writesAsStranger } = this.parts;
    const sent = writesAsStranger ? writes.flatMap(asStranger) : writes;
    return this.#call({
      attempt: "writing to the store",
      options,
      isRead: false,
      serve: (member, answer) =>
        store.propose(member, () => {
          const applied = store.state.commit(compares, sent);
          if (applied.kind === "done" && applied.succeeded) onApplied(sent);
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
    const { process, dice } = this.parts;
    return ask<T>({
      process,
      attempt: call.attempt,
      signal: call.options.signal,
      aborted: () =>
        new AppError(call.isRead ? "STORE_UNREACHABLE" : "STORE_UNKNOWN", call.attempt, "given up"),
      begin: (reply) => {
        const trip = new Trip<T>(this.parts, { call, reply, route: this.#route });
        trip.tryEndpoint(0);
        if (dice.chance(0.001)) this.#changeEndpoint();
        return () => trip.abandon();
      },
    });
  }

  /** A connection ends now and then, and the next one goes elsewhere; never to a member that does not answer. */
  #changeEndpoint(): void {
    const { store, host, dice } = this.parts;
    const next = dice.integer(store.members.length);
    const member = store.members[next];
    const isThere = member !== undefined && member.isUp && reaches(store.network, host, member);
    if (isThere) this.#route.preferred = next;
  }
}

/** What one client has learnt about the endpoints. */
interface Route {
  preferred: number;
  /** Endpoints with an established connection: a cut is noticed only by silence. */
  readonly connected: Set<StoreMember>;
}

interface Errand<T> {
  readonly call: Call<T>;
  readonly reply: Reply<T>;
  readonly route: Route;
}

/**
 * One call from beginning to end, over as many endpoints as it takes. Its limits are set only when something on its
 * way may fail to come back in time: nearly every call is answered, and a timer that is cancelled costs as much as one
 * that fires.
 */
class Trip<T> {
  readonly parts: StoreClientParts;
  readonly call: Call<T>;
  readonly #reply: Reply<T>;
  readonly #route: Route;
  readonly #beganAt: number;
  /** How long one endpoint may take. */
  readonly #share: number;
  #hasDeadline = false;
  #wasSent = false;
  #wasRefused = false;
  isOver = false;

  constructor(parts: StoreClientParts, { call, reply, route }: Errand<T>) {
    const { timeoutMs } = call.options;
    this.parts = parts;
    this.call = call;
    this.#reply = reply;
    this.#route = route;
    this.#beganAt = parts.store.kernel.now;
    const share = call.isRead ? timeoutMs / parts.store.members.length : timeoutMs;
    this.#share = Math.min(share, timeoutMs / 2);
  }

  /** The `n`-th of the endpoints, counted from the preferred one. */
  tryEndpoint(n: number): void {
    if (this.isOver) return;
    const { store, host } = this.parts;
    const { network, kernel, members } = store;
    const { preferred, connected } = this.#route;
    const member = n < members.length ? members[(preferred + n) % members.length] : undefined;
    if (member === undefined) {
      this.mayFail();
      return;
    }
    const isReached = reaches(network, host, member);
    if (isReached && !member.isUp) {
      connected.delete(member);
      this.#wasRefused = true;
      this.mayFail();
      kernel.after(network.latency(host, member.address) * 2, () => this.tryEndpoint(n + 1));
      return;
    }
    if (!isReached && !connected.has(member)) {
      this.mayFail();
      kernel.after(this.#share, () => this.tryEndpoint(n + 1)); // no connection within its share of the time
      return;
    }
    this.#wasSent = true;
    new Leg(this, { member, n, silentFrom: kernel.now + this.#share }).send();
  }

  /** From now on the deadline of the whole call is watched. */
  mayFail(): void {
    if (this.#hasDeadline) return;
    this.#hasDeadline = true;
    const { kernel } = this.parts.store;
    kernel.at(this.#beganAt + this.call.options.timeoutMs, () => this.#fail());
  }

  #fail(): void {
    if (this.isOver) return;
    this.isOver = true;
    const isUnknown = this.#wasSent && !this.call.isRead;
    if (isUnknown) this.parts.onLostAnswer();
    const code: ErrorCode = isUnknown ? "STORE_UNKNOWN" : "STORE_UNREACHABLE";
    const why = this.#wasRefused ? "connection refused" : "no answer in time";
    this.#reply.fail(new AppError(code, this.call.attempt, why));
  }

  abandon(): void {
    this.isOver = true;
  }

  /** An endpoint was silent for its share of the time: its connection is given up, and a read is asked elsewhere. */
  silent(member: StoreMember, n: number): void {
    if (this.isOver) return;
    this.#route.connected.delete(member);
    if (this.call.isRead) this.tryEndpoint(n + 1);
  }

  answered(member: StoreMember, result: T | AppError): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#route.connected.add(member);
    this.#route.preferred = this.parts.store.members.indexOf(member);
    if (result instanceof AppError) this.#reply.fail(result);
    else this.#reply.ok(result);
  }
}

interface Endpoint {
  readonly member: StoreMember;
  readonly n: number;
  /** The time from which on its silence is noticed. */
  readonly silentFrom: number;
}

/** One request of a call on its way to one member and back. */
class Leg<T> {
  readonly #trip: Trip<T>;
  readonly #to: Endpoint;
  #isLate = false;
  #isLost = false;
  #isServed = false;
  #isDoubted = false;

  constructor(trip: Trip<T>, to: Endpoint) {
    this.#trip = trip;
    this.#to = to;
  }

  send(): void {
    const { parts, call } = this.#trip;
    const { store, host, faults, dice } = parts;
    const { network, kernel } = store;
    const { member, silentFrom } = this.#to;
    this.#isLate = !call.isRead && dice.chance(faults.applyLate);
    const extra = faults.delayMs * faults.askShare + (this.#isLate ? dice.between(0, LATE_MS) : 0);
    this.#isLost = dice.chance(faults.loseAnswers);
    const isCarried = network.carries(host, member.address);
    if (!isCarried || this.#isLate || this.#isLost) this.#doubt();
    if (!isCarried) return;
    const ms = network.latency(host, member.address) + extra;
    if (kernel.now + ms >= silentFrom) this.#doubt();
    kernel.after(ms, () => this.#arrive());
  }

  #arrive(): void {
    const { parts, call } = this.#trip;
    const { store, host } = parts;
    const { member } = this.#to;
    if (!store.network.carries(host, member.address) && !this.#isLate) {
      this.#doubt();
      return;
    }
    store.arrive(member, () => call.serve(member, (result) => this.#served(result)));
    if (!this.#isServed) this.#doubt();
  }

  #served(result: T | AppError): void {
    this.#isServed = true;
    if (this.#isLost || this.#isLate) return;
    const { store, faults } = this.#trip.parts;
    const delay = faults.delayMs * (1 - faults.askShare);
    if (delay === 0) {
      this.#sendBack(result);
      return;
    }
    this.#doubt();
    store.kernel.after(delay, () => this.#sendBack(result));
  }

  #sendBack(result: T | AppError): void {
    const { store, host } = this.#trip.parts;
    const { network, kernel } = store;
    const { member, silentFrom } = this.#to;
    if (!network.carries(member.address, host)) {
      this.#doubt();
      return;
    }
    const ms = network.latency(member.address, host);
    if (kernel.now + ms >= silentFrom) this.#doubt();
    kernel.after(ms, () => {
      if (network.carries(member.address, host)) this.#trip.answered(member, result);
      else this.#doubt();
    });
  }

  /** It may not come back in time: silence is watched for. */
  #doubt(): void {
    if (this.#isDoubted || this.#trip.isOver) return;
    this.#isDoubted = true;
    this.#trip.mayFail();
    const { member, n, silentFrom } = this.#to;
    this.#trip.parts.store.kernel.at(silentFrom, () => this.#trip.silent(member, n));
  }
}
