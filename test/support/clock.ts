// Time that goes on only when a test says so.
import { after, type Instant, instant, type Ms } from "../../src/model/time.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";

export interface VirtualClock extends Clock {
  /** Lets `ms` pass: every timer due until then runs at its own time, and what it started is waited for. */
  pass(ms: Ms): Promise<void>;
  /** Somebody sets the wall clock. */
  stepWall(ms: Ms): void;
}

interface Alarm {
  readonly at: Instant;
  readonly run: () => void;
}

/** Everything that is only waiting for its turn gets it: no time passes. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function virtualClock(start: Instant = instant(1_000_000)): VirtualClock {
  let now = start;
  let wallOffset = 1_795_392_000_000 - start;
  const alarms = new Set<Alarm>();

  const wakeAt = (at: Instant, run: () => void): Timer => {
    const alarm: Alarm = { at, run };
    alarms.add(alarm);
    return { cancel: () => void alarms.delete(alarm) };
  };
  const next = (until: Instant): Alarm | undefined =>
    [...alarms].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];

  return {
    now: () => now,
    wallMs: () => now + wallOffset,
    wakeAt,
    stepWall: (ms) => {
      wallOffset += ms;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const timer = wakeAt(after(now, ms), resolve);
        signal?.addEventListener("abort", () => {
          timer.cancel();
          reject(signal.reason);
        });
      }),
    deadline(ms, signal) {
      const abort = new AbortController();
      const timer = wakeAt(after(now, ms), () => abort.abort(new Error(`after ${ms} ms`)));
      signal?.addEventListener("abort", () => abort.abort(signal.reason));
      return { signal: abort.signal, [Symbol.dispose]: () => timer.cancel() };
    },
    async pass(ms) {
      const until = after(now, ms);
      await settled();
      for (let alarm = next(until); alarm !== undefined; alarm = next(until)) {
        alarms.delete(alarm);
        now = instant(Math.max(now, alarm.at));
        alarm.run();
        await settled();
      }
      now = until;
    },
  };
}
