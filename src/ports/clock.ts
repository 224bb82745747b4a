// The port to time. Above the adapters nobody reads another clock.
import type { Instant, Ms } from "../model/time.ts";

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** This host's boot clock: goes on during a suspend, cannot be set (R15). */
  now(): Instant;
  /** Wall-clock milliseconds since 1970: for people and schedules, never for leases. */
  wallMs(): number;
  /** Calls `run` once, not before `at`. */
  wakeAt(at: Instant, run: () => void): Timer;
  /** Resolves not before `ms` from now; rejects with the signal's reason when aborted. */
  sleep(ms: Ms, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts after `ms`, joined with `signal`. Dispose it to free the timer. */
  deadline(ms: Ms, signal?: AbortSignal): Deadline;
}

export interface Deadline {
  readonly signal: AbortSignal;
  [Symbol.dispose](): void;
}
