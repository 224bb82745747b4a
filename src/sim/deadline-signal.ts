// What tells a simulated call that its time is over: an AbortSignal at a thirtieth of the price.
//
// Every step and every arming has a deadline that almost never comes; Node's own signal is an event target with
// machinery that made up a tenth of a schedule. Whoever hands this one to Node itself (AbortSignal.any) is refused there.

type Listener = Parameters<AbortSignal["addEventListener"]>[1];

export class DeadlineSignal implements AbortSignal {
  aborted = false;
  reason: unknown = undefined;
  onabort: AbortSignal["onabort"] = null;
  #listeners: Listener[] = [];

  /** The time is over; listeners hear it at once, and once. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.dispatchEvent(new Event("abort"));
  }

  addEventListener(type: string, listener: Listener): void {
    if (type === "abort" && !this.aborted) this.#listeners.push(listener);
  }

  removeEventListener(type: string, listener: Listener): void {
    if (type === "abort") this.#listeners = this.#listeners.filter((l) => l !== listener);
  }

  dispatchEvent(event: Event): boolean {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) {
      if (typeof listener === "function") listener(event);
      else listener.handleEvent(event);
    }
    return true;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }
}
