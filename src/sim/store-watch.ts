// A watch: every later change, in order, late; silence is noticed after two seconds and answered by a gap (R40).
import type { StoreEvent } from "../ports/store.ts";
import type { Ticket } from "./kernel.ts";
import type { StoreMember } from "./store.ts";
import { reaches, type StoreClientParts } from "./store-path.ts";

const SILENCE_MS = 2_000;

export interface WatchRequest {
  readonly parts: StoreClientParts;
  readonly prefix: string;
  readonly onEvents: (events: readonly StoreEvent[]) => void;
  readonly onGap: () => void;
  readonly signal: AbortSignal;
}

/** Begins a watch that lives until the signal aborts or the process dies. */
export function watchStore(request: WatchRequest): void {
  const watch = new Watch(request);
  watch.begin();
}

class Watch {
  readonly #request: WatchRequest;
  #member: StoreMember | undefined;
  #seenRevision: number;
  #clusterId: string;
  #gapCheck: Ticket | undefined;
  #lastArrival = 0;

  constructor(request: WatchRequest) {
    const { store, host } = request.parts;
    this.#request = request;
    this.#member = store.members.find((m) => m.host === host) ?? store.members[0];
    this.#seenRevision = store.state.revision;
    this.#clusterId = store.state.clusterId;
  }

  begin(): void {
    const { store, process } = this.#request.parts;
    const endChange = store.onChange((events) => this.#changed(events));
    const endService = store.onService(() => this.#look());
    const end = (): void => {
      endChange();
      endService();
      this.#gapCheck?.cancel();
    };
    this.#request.signal.addEventListener("abort", end, { once: true });
    process.onDeath(end);
    this.#look();
  }

  get #isFed(): boolean {
    const { store, host, faults } = this.#request.parts;
    const m = this.#member;
    return (
      m !== undefined && !faults.watchSilent && store.serves(m) && reaches(store.network, host, m)
    );
  }

  #changed(events: readonly StoreEvent[]): void {
    const { store } = this.#request.parts;
    if (!this.#isFed) {
      this.#look();
      return;
    }
    this.#seenRevision = store.state.revision;
    this.#deliver(events);
  }

  #deliver(events: readonly StoreEvent[]): void {
    const mine = events.filter((e) => e.key.startsWith(this.#request.prefix));
    const m = this.#member;
    if (mine.length === 0 || m === undefined) return;
    const { store, host, process, faults } = this.#request.parts;
    const arrival = store.kernel.now + store.network.latency(m.address, host) + faults.watchLagMs;
    this.#lastArrival = Math.max(arrival, this.#lastArrival); // one stream: never out of order
    store.kernel.at(this.#lastArrival, () => {
      if (this.#request.signal.aborted) return;
      process.deliver(() => this.#request.onEvents(mine));
    });
  }

  /** Fed again: what was missed comes now. Not fed: after two silent seconds, another endpoint and a gap. */
  #look(): void {
    if (this.#isFed) {
      this.#gapCheck?.cancel();
      this.#gapCheck = undefined;
      this.#catchUp();
      return;
    }
    if (this.#gapCheck !== undefined) return;
    const { store } = this.#request.parts;
    this.#gapCheck = store.kernel.after(SILENCE_MS, () => {
      this.#gapCheck = undefined;
      this.#reconnect();
    });
  }

  #reconnect(): void {
    const { store, host, process, dice } = this.#request.parts;
    if (!process.isAlive || this.#request.signal.aborted) return;
    const able = store.members.filter((m) => m.isUp && reaches(store.network, host, m));
    if (able.length > 0) this.#member = dice.pick(able);
    process.deliver(() => this.#request.onGap());
    this.#look();
  }

  #catchUp(): void {
    const { state } = this.#request.parts.store;
    const { process } = this.#request.parts;
    const isOther = state.clusterId !== this.#clusterId || state.revision < this.#seenRevision;
    if (isOther || state.compactedAt > this.#seenRevision) {
      this.#clusterId = state.clusterId;
      this.#seenRevision = state.revision;
      process.deliver(() => this.#request.onGap());
      return;
    }
    if (state.revision === this.#seenRevision) return;
    const missed = state.history.filter((e) => e.modRevision > this.#seenRevision);
    this.#seenRevision = state.revision;
    this.#deliver(missed);
  }
}
