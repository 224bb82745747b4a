// How late is it on this host, counting the time it slept (R15)?
//
// CLOCK_MONOTONIC stands still during a suspend, /proc/uptime (CLOCK_BOOTTIME) does not but has 10 ms steps.
// The sum of the monotonic clock and "how far uptime is ahead of it" is precise and sleeps with nobody; every
// process of the host computes the same sum, so agent and fence may exchange instants.
import { openSync, readSync } from "node:fs";
import { type Instant, instant } from "../../model/time.ts";

/** Smaller differences between the two clocks are the resolution of /proc/uptime, not a suspend. */
const NOISE_MS = 30;
/** Two readings this close to each other belong together. */
const QUICK_MS = 5;
const MOST_READINGS = 10;

export interface BootClockSources {
  readonly monotonicMs: () => number;
  /** undefined when the system does not say: then the monotonic clock alone counts. */
  readonly uptimeMs: () => number | undefined;
}

/** A reader of the boot clock. It never runs backwards. */
export function createBootClock(sources: BootClockSources = hostSources()): () => Instant {
  let ahead = 0;
  let first = true;
  // A container's own uptime may be behind from the start; later it can only gain.
  const hasMoved = (difference: number): boolean =>
    (first ? Math.abs(difference) : difference - ahead) >= NOISE_MS;
  return () => {
    const monotonic = sources.monotonicMs();
    const uptime = sources.uptimeMs();
    if (uptime === undefined) return instant(monotonic + ahead);
    // Dear only where it matters: a process that did not run between the two readings sees a difference as well.
    const difference = hasMoved(uptime - monotonic) ? surely(sources) : undefined;
    if (difference !== undefined && hasMoved(difference)) ahead = difference;
    first = false;
    return instant((difference === undefined ? monotonic : sources.monotonicMs()) + ahead);
  };
}

/** How far uptime is ahead, from readings with nothing between them; if there are none such, how far at least. */
function surely({ monotonicMs, uptimeMs }: BootClockSources): number | undefined {
  let least: number | undefined;
  for (let reading = 0; reading < MOST_READINGS; reading++) {
    const before = monotonicMs();
    const uptime = uptimeMs();
    if (uptime === undefined) return undefined;
    const behind = monotonicMs();
    if (behind - before <= QUICK_MS) return uptime - before;
    least = Math.max(least ?? Number.NEGATIVE_INFINITY, uptime - behind);
  }
  return least;
}

function hostSources(): BootClockSources {
  const buffer = Buffer.alloc(64);
  const file = openUptime();
  return {
    monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
    uptimeMs: () => {
      if (file === undefined) return undefined;
      const length = readSync(file, buffer, 0, buffer.length, 0);
      const seconds = Number.parseFloat(buffer.toString("latin1", 0, length));
      return Number.isNaN(seconds) ? undefined : seconds * 1000;
    },
  };
}

function openUptime(): number | undefined {
  try {
    return openSync("/proc/uptime", "r");
  } catch {
    return undefined;
  }
}
