// The real clock: timers only wake, the boot clock says whether it is time (R15).
import { AppError } from "../../model/error.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import { createBootClock } from "./boot-clock.ts";

/** A timer of the event loop sleeps through a suspend; looking once a second bounds how late it can be. */
const LONGEST_NAP_MS = 1000;

export function createClock(now: () => Instant = createBootClock()): Clock {
  const wakeAt = (at: Instant, run: () => void): Timer => wakeWhen(now, at, run);
  return {
    now,
    wallMs: () => Date.now(),
    wakeAt,
    sleep: (ms, signal) => sleep({ now, wakeAt }, ms, signal),
    deadline: (ms, signal) => deadline({ now, wakeAt }, ms, signal),
  };
}

type Waking = Pick<Clock, "now" | "wakeAt">;

function wakeWhen(now: () => Instant, at: Instant, run: () => void): Timer {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const left = between(now(), at);
    if (left <= 0) {
      run();
      return;
    }
    timer = setTimeout(look, Math.min(Math.ceil(left), LONGEST_NAP_MS));
  };
  timer = setTimeout(look, Math.max(0, Math.min(Math.ceil(between(now(), at)), LONGEST_NAP_MS)));
  return { cancel: () => clearTimeout(timer) };
}

function sleep({ now, wakeAt }: Waking, ms: Ms, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = wakeAt(after(now(), ms), () => {
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

function deadline({ now, wakeAt }: Waking, ms: Ms, signal?: AbortSignal) {
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal?.reason);
  const timer = wakeAt(after(now(), ms), () => {
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
