// How late is it on this host, counting the time it slept (R15)?
//
// CLOCK_MONOTONIC stands still during a suspend, /proc/uptime (CLOCK_BOOTTIME) does not but has 10 ms steps.
// The sum of the monotonic clock and "how far uptime is ahead of it" is precise and sleeps with nobody; every
// process of the host computes the same sum, so agent and fence may exchange instants.
import { openSync, readSync } from "node:fs";
import { type Instant, instant } from "../../model/time.ts";

/** Smaller differences between the two clocks are the resolution of /proc/uptime, not a suspend. */
const NOISE_MS = 30;

export interface BootClockSources {
  readonly monotonicMs: () => number;
  /** undefined when the system does not say: then the monotonic clock alone counts. */
  readonly uptimeMs: () => number | undefined;
}

/** A reader of the boot clock. It never runs backwards. */
export function createBootClock(sources: BootClockSources = hostSources()): () => Instant {
  let ahead = 0;
  let first = true;
  return () => {
    const monotonic = sources.monotonicMs();
    const uptime = sources.uptimeMs();
    if (uptime !== undefined) {
      const difference = uptime - monotonic;
      // A container's own uptime may be behind from the start; later it can only gain.
      const moved = first ? Math.abs(difference) : difference - ahead;
      if (moved >= NOISE_MS) ahead = difference;
      first = false;
    }
    return instant(monotonic + ahead);
  };
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
