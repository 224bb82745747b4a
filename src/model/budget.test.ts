// Does the budget add up, whatever happened?
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  accountOf,
  burnRate,
  DEFAULT_OBJECTIVE,
  lengthOf,
  type Outage,
  windowsAround,
} from "./budget.ts";

/** 2026-11-23T00:00:00Z. */
const NOW = 1_795_392_000_000;
const MINUTE = 60_000;
const { month, year } = windowsAround(NOW);
const measured = [{ from: year.from, to: NOW }];

describe("a year of 99.99 %", () => {
  it("has some 52 minutes to spend, 22 of them on purpose", () => {
    const account = accountOf({ outages: [], measured, now: NOW }, year, DEFAULT_OBJECTIVE);
    expect(account.total.budgetMs / MINUTE).toBeCloseTo(52.56, 2);
    expect(account.planned.budgetMs / MINUTE).toBeCloseTo(22.24, 2);
    expect(account.unplanned.budgetMs / MINUTE).toBeCloseTo(30.32, 2);
    expect(account.availability).toBe(1);
  });

  it("gives a month the part that it is long", () => {
    expect((month.to - month.from) / (24 * 60 * MINUTE)).toBe(30);
    const { total } = accountOf({ outages: [], measured, now: NOW }, month, DEFAULT_OBJECTIVE);
    expect(total.budgetMs / MINUTE).toBeCloseTo((52.56 * 30) / 365, 3);
  });

  it("keeps planned and unplanned apart, and counts one that goes on up to now", () => {
    const outages: readonly Outage[] = [
      { from: NOW - 10 * MINUTE, to: NOW - 9 * MINUTE, planned: true },
      { from: NOW - 2 * MINUTE, to: undefined, planned: false },
    ];
    const { planned, unplanned, total } = accountOf(
      { outages, measured, now: NOW },
      month,
      DEFAULT_OBJECTIVE,
    );
    expect([planned.spentMs, unplanned.spentMs, total.spentMs]).toEqual([
      MINUTE,
      2 * MINUTE,
      3 * MINUTE,
    ]);
  });

  it("ends a year at its last day, also in December", () => {
    const { month: december } = windowsAround(Date.UTC(2027, 11, 31, 23, 59));
    expect(december).toMatchObject({ from: Date.UTC(2027, 11, 1), to: Date.UTC(2028, 0, 1) });
  });
});

describe("the burn rate", () => {
  it("is 1 when the budget lasts exactly as long as its window", () => {
    const span = 100 * MINUTE;
    const outages: readonly Outage[] = [{ from: NOW - 600, to: NOW, planned: false }];
    expect(burnRate({ outages, measured, now: NOW }, span, DEFAULT_OBJECTIVE)).toBeCloseTo(1, 6);
  });

  it("is not said of a time that was hardly measured", () => {
    const little = [{ from: NOW - MINUTE, to: NOW }];
    const rate = burnRate(
      { outages: [], measured: little, now: NOW },
      60 * MINUTE,
      DEFAULT_OBJECTIVE,
    );
    expect(rate).toBeUndefined();
  });
});

describe("any outages", () => {
  const anyOutage = fc.record({
    from: fc.integer({ min: year.from - 1e9, max: NOW }),
    to: fc.option(fc.integer({ min: 0, max: 1e9 }), { nil: undefined }),
    planned: fc.boolean(),
  });
  const asOutage = ({
    from,
    to,
    planned,
  }: {
    from: number;
    to: number | undefined;
    planned: boolean;
  }) => ({
    from,
    to: to === undefined ? undefined : from + to,
    planned,
  });

  it("spend between nothing and the whole window, a month never more than its year, parts never more than all", () => {
    fc.assert(
      fc.property(fc.array(anyOutage, { maxLength: 30 }), (some) => {
        const seen = { outages: some.map(asOutage), measured, now: NOW };
        const y = accountOf(seen, year, DEFAULT_OBJECTIVE);
        const m = accountOf(seen, month, DEFAULT_OBJECTIVE);
        for (const { planned, unplanned, total, window } of [y, m]) {
          for (const { spentMs, budgetMs, leftMs } of [planned, unplanned]) {
            expect(spentMs).toBeGreaterThanOrEqual(0);
            expect(spentMs).toBeLessThanOrEqual(NOW - window.from);
            expect(leftMs).toBeCloseTo(budgetMs - spentMs, 3);
          }
          expect(planned.spentMs + unplanned.spentMs).toBe(total.spentMs);
        }
        expect(m.total.spentMs).toBeLessThanOrEqual(y.total.spentMs);
        expect(y.availability).toBeGreaterThanOrEqual(0);
        expect(y.availability).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("never count a moment twice, in whatever order they are given", () => {
    const anySpan = fc
      .tuple(fc.nat(50), fc.nat(50))
      .map(([from, more]) => ({ from, to: from + more }));
    fc.assert(
      fc.property(fc.array(anySpan, { maxLength: 20 }), (spans) => {
        const covered = new Set(
          spans.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, n) => from + n)),
        );
        expect(lengthOf(spans)).toBe(covered.size);
        expect(lengthOf(spans.toReversed())).toBe(covered.size);
      }),
    );
  });
});
