import fc from "fast-check";
import { expect, it } from "vitest";
import { lsn } from "../lsn.ts";
import { instant } from "../time.ts";
import { ageOf, rateOf, stillFor, tick, type WalClock } from "./wal-clock.ts";

const clockOf = (...points: readonly (readonly [ms: number, at: number])[]): WalClock =>
  points.reduce<WalClock>((clock, [ms, at]) => tick(clock, instant(ms), lsn(at)), []);
const ageAt = (clock: WalClock, position: number, now: number, told?: number) =>
  ageOf(clock, lsn(position), { now: instant(now), told });

it("says that an idle primary is not ahead of anybody, however long it is idle", () => {
  const clock = clockOf([0, 100], [5_000, 100], [3_600_000, 100]);
  expect(ageAt(clock, 100, 3_600_000)).toEqual({ ms: 0, atLeast: false });
});

it("counts from when the first missing byte was seen, not from the last commit before it", () => {
  const clock = clockOf([0, 100], [60_000, 100], [61_000, 200], [71_000, 200]);
  expect(ageAt(clock, 100, 71_000).ms).toBe(10_000);
});

it("lets the server's own figure decide only within what nobody saw", () => {
  const clock = clockOf([0, 100], [5_000, 200]);
  expect(ageAt(clock, 100, 5_000).ms).toBe(0);
  expect(ageAt(clock, 100, 5_000, 40).ms).toBe(40);
  expect(ageAt(clock, 100, 5_000, 90_000).ms).toBe(5_000);
  expect(ageAt(clock, 100, 9_000, 40).ms).toBe(4_000);
});

it("says that it knows only a lower bound of what is older than its memory", () => {
  expect(ageAt(clockOf([1_000, 100], [4_000, 200]), 50, 4_000)).toEqual({
    ms: 3_000,
    atLeast: true,
  });
});

it("begins anew when the end goes back", () => {
  expect(clockOf([0, 100], [1_000, 200], [2_000, 150])).toHaveLength(1);
});

it("tells how long nothing has been written", () => {
  const clock = clockOf([0, 50], [1_000, 100], [6_000, 100], [9_000, 100]);
  expect(stillFor(clock, instant(10_000))).toBe(9_000);
  expect(stillFor([], instant(10_000))).toBe(0);
});

it("tells the rate of the last minute", () => {
  expect(rateOf(clockOf([0, 0], [100_000, 0], [101_000, 6_000]), 60_000)).toBe(100);
  expect(rateOf(clockOf([0, 0], [80_000, 8_000]), 60_000)).toBe(100);
  expect(rateOf(clockOf([0, 7], [90_000, 7], [600_000, 7]), 60_000)).toBe(0);
  expect(rateOf(clockOf([0, 0]), 60_000)).toBeUndefined();
});

it("stays small and in order, and an older position is never younger, however long it goes on", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(20_000), fc.nat(50)), { minLength: 1, maxLength: 3_000 }),
      fc.nat(),
      (steps, pick) => {
        let [now, end] = [0, 0];
        let clock: WalClock = [];
        for (const [ms, bytes] of steps) {
          now += ms;
          end += bytes;
          clock = tick(clock, instant(now), lsn(end));
        }
        const older = end === 0 ? 0 : pick % end;
        expect(clock.length).toBeLessThanOrEqual(512);
        expect(clock).toEqual(clock.toSorted((a, b) => a.at - b.at));
        expect(ageAt(clock, end, now).ms).toBe(0);
        expect(ageAt(clock, older, now).ms).toBeGreaterThanOrEqual(
          ageAt(clock, Math.min(end, older + 1), now).ms,
        );
      },
    ),
    { numRuns: 30 },
  );
});
