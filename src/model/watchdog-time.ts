// After how long without food does a watchdog bite?
import type { WatchdogSettings } from "./settings.ts";
import type { Ms } from "./time.ts";

/** Where the file names none. */
export const USUAL_MARGIN_MS: Ms = 5_000;

/**
 * A device is fed up to the fence's deadline, so it gets the margin alone. A pipe resets nobody: its reader expects the
 * number that Patroni would set, and Patroni counts from the last renewal.
 */
export function watchdogTimeout({ isForTests, safetyMarginMs }: WatchdogSettings, ttlMs: Ms): Ms {
  if (!isForTests) return safetyMarginMs ?? USUAL_MARGIN_MS;
  return safetyMarginMs === undefined ? ttlMs / 2 : ttlMs - safetyMarginMs;
}
