// What time is it on one host? Clocks run at their own rate, stand still in a paused guest, and go on in a suspend.
import { type Instant, instant, type Ms } from "../model/time.ts";
import type { Clock, Deadline, Timer } from "../ports/clock.ts";
import { DeadlineSignal } from "./deadline-signal.ts";
import type { Kernel, Ticket } from "./kernel.ts";
import type { SimProcess } from "./process.ts";

/** What people's clocks show when a schedule begins. */
export const EPOCH_MS = 1_790_000_000_000;

/** Host time 0 is the boot; every boot begins at another number, so that instants of two boots never look alike. */
export class HostClock {
  readonly #kernel: Kernel;
  #baseTrue: number;
  #baseHost: number;
  #rate: number;
  #wallOffset: number;

  constructor(kernel: Kernel, rate: number, bootAt: number) {
    this.#kernel = kernel;
    this.#rate = rate;
    this.#baseTrue = kernel.now;
    this.#baseHost = bootAt;
    this.#wallOffset = EPOCH_MS + kernel.now - bootAt;
  }

  now(): number {
    return this.#baseHost + (this.#kernel.now - this.#baseTrue) * this.#rate;
  }

  wallMs(): number {
    return this.#wallOffset + this.now();
  }

  /** True time at which this clock will show `at`, if nothing changes. */
  trueTimeOf(at: number): number {
    if (this.#rate === 0) return Number.POSITIVE_INFINITY;
    return this.#baseTrue + (at - this.#baseHost) / this.#rate;
  }

  /** Changes the speed; 0 stands still (a paused guest). */
  setRate(rate: number): void {
    this.#baseHost = this.now();
    this.#baseTrue = this.#kernel.now;
    this.#rate = rate;
  }

  get rate(): number {
    return this.#rate;
  }

  /** Somebody sets the wall clock; the boot clock does not care. */
  stepWall(ms: number): void {
    this.#wallOffset += ms;
  }

  restart(bootAt: number): void {
    this.#wallOffset = this.wallMs() - bootAt;
    this.#baseHost = bootAt;
    this.#baseTrue = this.#kernel.now;
  }
}

/** How often a timer of a clock that stands still looks again. */
const FROZEN_RETRY_MS = 500;

interface HostTimerParts {
  readonly kernel: Kernel;
  readonly clock: HostClock;
  readonly process: SimProcess;
}

class HostTimer implements Timer {
  readonly #parts: HostTimerParts;
  readonly #at: number;
  #run: (() => void) | undefined;
  #ticket: Ticket;

  constructor(parts: HostTimerParts, timer: { readonly at: number; readonly run: () => void }) {
    this.#parts = parts;
    this.#at = timer.at;
    this.#run = timer.run;
    this.#ticket = this.#plan();
  }

  #plan(): Ticket {
    const { kernel, clock } = this.#parts;
    const due = Math.min(clock.trueTimeOf(this.#at), kernel.now + 3_600_000);
    const retry = clock.rate === 0 ? kernel.now + FROZEN_RETRY_MS : due;
    return kernel.at(retry, () => this.#fire());
  }

  #fire(): void {
    const { clock, process } = this.#parts;
    if (!process.isAlive) return;
    if (clock.now() < this.#at - 1e-6) this.#ticket = this.#plan();
    else process.deliver(() => this.#run?.());
  }

  cancel(): void {
    this.#run = undefined;
    this.#ticket.cancel();
  }
}

/** Calls `run` inside `process` once the host's clock shows `at`. */
export const wakeAt = (
  kernel: Kernel,
  clock: HostClock,
  process: SimProcess,
  timer: { readonly at: number; readonly run: () => void },
): Timer => new HostTimer({ kernel, clock, process }, timer);

interface DeadlineParts {
  readonly ended: DeadlineSignal;
  readonly timer: Timer;
  /** Whoever ends the whole ends this part of it too. */
  readonly signal: AbortSignal | undefined;
}

class SimDeadline implements Deadline {
  readonly signal: AbortSignal;
  readonly #parts: DeadlineParts;
  readonly #onAbort: (() => void) | undefined;

  constructor(parts: DeadlineParts) {
    this.#parts = parts;
    this.signal = parts.ended;
    if (parts.signal === undefined) return;
    this.#onAbort = () => {
      parts.timer.cancel();
      parts.ended.abort(parts.signal?.reason);
    };
    if (parts.signal.aborted) this.#onAbort();
    else parts.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  [Symbol.dispose](): void {
    this.#parts.timer.cancel();
    if (this.#onAbort !== undefined)
      this.#parts.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** The Clock port of one process on one host. */
export function processClock(kernel: Kernel, clock: HostClock, process: SimProcess): Clock {
  const now = (): Instant => instant(clock.now());
  const wake = (at: Instant, run: () => void): Timer => wakeAt(kernel, clock, process, { at, run });
  const sleep = (ms: Ms, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = wake(instant(clock.now() + Math.max(ms, 0)), () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  const deadline = (ms: Ms, signal?: AbortSignal): Deadline => {
    const ended = new DeadlineSignal();
    const timer = wake(instant(clock.now() + ms), () =>
      ended.abort(new Error(`deadline of ${ms} ms`)),
    );
    return new SimDeadline({ ended, timer, signal });
  };
  return { now, wallMs: () => clock.wallMs(), wakeAt: wake, sleep, deadline };
}
