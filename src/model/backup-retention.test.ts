// Retention against a slow and obvious twin, and its one promise for any clock and any backups.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planRetention, type RestorePoint, type RetentionPolicy } from "./backup-retention.ts";
import { lsn } from "./lsn.ts";

const DAY = 86_400_000;

const point = (
  day: number,
  verified: RestorePoint["verified"] = "never",
  isDoubtful = false,
): RestorePoint => ({
  id: `day-${String(day).padStart(4, "0")}`,
  timeline: 1,
  finishedAtMs: day * DAY + 3_600_000,
  startLsn: lsn(day * 1000),
  verified,
  isDoubtful,
});

const points = fc
  .uniqueArray(fc.tuple(fc.nat(60), fc.constantFrom("passed", "failed", "never"), fc.boolean()), {
    selector: ([day]) => day,
    maxLength: 12,
  })
  .map((list) => list.map((one) => point(...one)));
const policies: fc.Arbitrary<RetentionPolicy> = fc.record({
  count: fc.integer({ min: 0, max: 6 }),
  spanMs: fc.option(fc.integer({ min: 0, max: 40 * DAY }), { nil: undefined }),
});
/** Clocks jump: now may lie long before or after everything. */
const clocks = fc.integer({ min: -100 * DAY, max: 1000 * DAY });

const isSure = ({ isDoubtful }: RestorePoint): boolean => isDoubtful !== true;

/** Looks at one backup at a time and asks in words whether anybody could miss it. */
function isMissed(
  one: RestorePoint,
  all: readonly RestorePoint[],
  p: RetentionPolicy,
  now: number,
) {
  const passed = all.filter(({ verified }) => verified === "passed");
  if (!passed.some(isSure)) return true;
  const newer = all.filter((other) => other.id > one.id);
  const newerPassed = newer.filter(({ verified }) => verified === "passed");
  if (one.verified === "passed" && newerPassed.length === 0) return true;
  if (one.verified === "passed" && isSure(one) && !newerPassed.some(isSure)) return true;
  const isGood = one.verified !== "failed";
  const newerGood = newer.filter(({ verified }) => verified !== "failed");
  if (isGood && newerGood.length < Math.max(1, p.count)) return true;
  if (p.spanMs === undefined) return false;
  const from = now - p.spanMs;
  if (one.finishedAtMs > from) return true;
  return isGood && newerGood.every(({ finishedAtMs }) => finishedAtMs > from);
}

describe("retention", () => {
  it("keeps what its twin keeps", () => {
    fc.assert(
      fc.property(points, policies, clocks, (all, policy, now) => {
        const kept = new Set(planRetention(all, policy, now).keep.map(({ id }) => id));
        const wanted = all.filter((one) => isMissed(one, all, policy, now)).map(({ id }) => id);
        expect([...kept].toSorted()).toEqual(wanted.toSorted());
      }),
    );
  });

  it("never lets the last verified backup go, nor WAL that a kept one needs", () => {
    fc.assert(
      fc.property(points, policies, clocks, (all, policy, now) => {
        const { keep, expire, walFrom } = planRetention(all, policy, now);
        expect(keep.length + expire.length).toBe(all.length);
        const passed = all.filter(({ verified }) => verified === "passed");
        const lastOf = (some: readonly RestorePoint[]) =>
          some
            .map(({ id }) => id)
            .toSorted()
            .at(-1);
        const sure = lastOf(passed.filter(isSure));
        if (sure === undefined) expect(expire).toEqual([]);
        else
          expect(keep.map(({ id }) => id)).toEqual(expect.arrayContaining([lastOf(passed), sure]));
        for (const { id } of keep) {
          const { startLsn } = all.find((one) => one.id === id) ?? point(0);
          expect(walFrom !== undefined && walFrom <= startLsn).toBe(true);
        }
        if (keep.length === 0) expect(walFrom).toBeUndefined();
      }),
    );
  });

  it("says why each one stays", () => {
    const all = [point(1, "passed"), point(2), point(3), point(20)];
    const policy = { count: 2, spanMs: undefined };
    const { keep, expire } = planRetention(all, policy, 20 * DAY);
    expect(keep.map(({ id, because }) => `${id}: ${because}`)).toEqual([
      "day-0020: it is one of the newest 2",
      "day-0003: it is one of the newest 2",
      "day-0001: it is the last one that was verified",
    ]);
    expect(expire).toEqual(["day-0002"]);
  });

  it("keeps the last one that no drill failed beside the last one that was verified", () => {
    const all = [point(1, "passed"), point(2, "passed", true), point(3), point(4)];
    const policy = { count: 1, spanMs: undefined };
    const { keep, expire } = planRetention(all, policy, 20 * DAY);
    expect(keep.map(({ id, because }) => `${id}: ${because}`)).toEqual([
      "day-0004: it is one of the newest 1",
      "day-0002: it is the last one that was verified",
      "day-0001: it is the last one that was verified and failed no drill",
    ]);
    expect(expire).toEqual(["day-0003"]);
    expect(planRetention(all.slice(1), policy, 20 * DAY).expire).toEqual([]);
  });

  it("keeps the one with which a span begins", () => {
    const all = [point(1, "passed"), point(5, "passed"), point(10, "passed"), point(14, "passed")];
    const { expire, walFrom } = planRetention(all, { count: 1, spanMs: 7 * DAY }, 14 * DAY);
    expect(expire).toEqual(["day-0001"]);
    expect(walFrom).toBe(5000n);
  });
});
