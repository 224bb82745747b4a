// May two ever act at once? The arithmetic of belief and permission, over all clocks that we allow.
import { assert as check, double, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CLOCK_DRIFT,
  HARD_STOP_AFTER_MS,
  holdMsFor,
  isValid,
  renewEveryMs,
  renewTimeoutMs,
  rivalMayActAt,
  validUntil,
  vouchLastsMs,
} from "./lease.ts";
import { instant } from "./time.ts";

const rate = double({ min: 1 - CLOCK_DRIFT, max: 1 + CLOCK_DRIFT, noNaN: true });

/** A host whose clock showed `shown` at true time 0 and runs at `rate`. */
const hostOf = (shown: number, speed: number) => ({
  clockAt: (trueMs: number) => instant(shown + trueMs * speed),
  trueAt: (clock: number) => (clock - shown) / speed,
});

describe("a rival", () => {
  it("may never act before the last backend of the holder is dead", () => {
    const world = record({
      ttlMs: integer({ min: 5_000, max: 60_000 }),
      sentAt: integer({ min: 0, max: 100_000 }),
      /** From the holder's request to the rival's first sight of the hold. */
      delay: integer({ min: 0, max: 5_000 }),
      holderRate: rate,
      rivalRate: rate,
      holderShows: integer({ min: 0, max: 1_000_000 }),
      rivalShows: integer({ min: 0, max: 1_000_000 }),
    });
    check(
      property(world, (w) => {
        const holder = hostOf(w.holderShows, w.holderRate);
        const rival = hostOf(w.rivalShows, w.rivalRate);
        const holdMs = holdMsFor(w.ttlMs);
        const believes = validUntil(holder.clockAt(w.sentAt), holdMs);
        const dead = holder.trueAt(believes + HARD_STOP_AFTER_MS);
        const acts = rival.trueAt(rivalMayActAt(rival.clockAt(w.sentAt + w.delay), holdMs));
        expect(dead).toBeLessThan(acts);
      }),
      { numRuns: 2_000 },
    );
  });

  it("leaves a second for slow machines at the shortest ttl", () => {
    const holdMs = holdMsFor(5_000);
    const dead = validUntil(instant(0), holdMs) + HARD_STOP_AFTER_MS;
    expect(rivalMayActAt(instant(0), holdMs) - dead).toBeGreaterThan(1_000);
  });
});

describe("a holder", () => {
  it("has time for at least two renewals and a retry before its belief ends", () => {
    check(
      property(integer({ min: 5_000, max: 60_000 }), (ttlMs) => {
        const holdMs = holdMsFor(ttlMs);
        const belief = validUntil(instant(0), holdMs);
        expect(2 * renewEveryMs(holdMs) + renewTimeoutMs(holdMs)).toBeLessThanOrEqual(belief + 100);
        expect(vouchLastsMs(holdMs, 2_000, 3_000)).toBeLessThanOrEqual(holdMs / 2);
      }),
    );
  });

  it("does not believe at the very instant at which it ends", () => {
    const lease = { term: 1, validUntil: instant(1_000) };
    expect(isValid(lease, instant(999))).toBe(true);
    expect(isValid(lease, instant(1_000))).toBe(false);
    expect(isValid(undefined, instant(0))).toBe(false);
  });
});
