// The real clock: timers only wake, the boot clock says whether it is time (R15).
import { AppError } from "../../model/error.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import { createBootClock } from "./boot-clock.ts";

/** A timer of the event loop sleeps through a suspend; looking once a second bounds how late it can be. */
const PULSE_MS = 1000;
/** The event loop runs a timer at once that is set for longer. */
const LONGEST_MS = 2 ** 31 - 1;

export function createClock(now: () => Instant = createBootClock()): Clock {
  const wakes = new Wakes(now);
  const wakeAt = (at: Instant, run: () => void): Timer => wakes.at(at, run);
  return {
    now,
    wallMs: () => Date.now(),
    wakeAt,
    sleep: (ms, signal) => sleep(wakes, ms, signal),
    deadline: (ms, signal) => deadline(wakes, ms, signal),
  };
}

interface Wake {
  readonly at: Instant;
  readonly run: () => void;
  timer: NodeJS.Timeout;
}

/** Each wake has a timer of its own; one pulse for all of them sees what a suspend has made late. */
class Wakes {
  readonly #now: () => Instant;
  readonly #far = new Set<Wake>();
  #pulse: NodeJS.Timeout | undefined;

  constructor(now: () => Instant) {
    this.#now = now;
  }

  at(at: Instant, run: () => void): Timer {
    return this.#set(at, between(this.#now(), at), run);
  }

  /** The clock is read once: it is the dearest part of a short wait. */
  in(ms: Ms, run: () => void): Timer {
    return this.#set(after(this.#now(), ms), ms, run);
  }

  #set(at: Instant, left: Ms, run: () => void): Timer {
    const wake: Wake = { at, run, timer: this.#timer(left, () => this.#look(wake, this.#now())) };
    if (left > PULSE_MS) this.#watch(wake);
    return { cancel: () => this.#forget(wake) };
  }

  #timer(left: Ms, look: () => void): NodeJS.Timeout {
    return setTimeout(look, Math.max(0, Math.min(Math.ceil(left), LONGEST_MS)));
  }

  #look(wake: Wake, now: Instant): void {
    const left = between(now, wake.at);
    if (left > 0) {
      wake.timer = this.#timer(left, () => this.#look(wake, this.#now()));
      return;
    }
    this.#forget(wake);
    wake.run();
  }

  #watch(wake: Wake): void {
    this.#far.add(wake);
    this.#pulse ??= setInterval(() => this.#beat(), PULSE_MS).unref();
  }

  #beat(): void {
    const now = this.#now();
    // The set itself: who is run may cancel another one that is late.
    for (const wake of this.#far) if (wake.at <= now) this.#look(wake, now);
  }

  #forget(wake: Wake): void {
    clearTimeout(wake.timer);
    this.#far.delete(wake);
    if (this.#far.size > 0) return;
    clearInterval(this.#pulse);
    this.#pulse = undefined;
  }
}

function sleep(wakes: Wakes, ms: Ms, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = wakes.in(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    const stop = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

function deadline(wakes: Wakes, ms: Ms, signal?: AbortSignal) {
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal?.reason);
  const timer = wakes.in(ms, () => {
    controller.abort(new AppError("TIMEOUT", "waiting", `limit ${ms} ms`));
  });
  if (signal?.aborted) follow();
  signal?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose](): void {
      timer.cancel();
      signal?.removeEventListener("abort", follow);
    },
  };
}
