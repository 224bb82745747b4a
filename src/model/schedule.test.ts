// Which job is due when: against a slow twin that walks through time, and the cases that matter at night.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  begun,
  ended,
  latestMoment,
  MOST_ATTEMPTS,
  nextMoment,
  planTurn,
  type Schedule,
  type ScheduleRecord,
  scheduleWarnings,
  type TurnBasis,
  withJitter,
} from "./schedule.ts";
import { parseSchedule, printSchedule } from "./wire/schedule.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = 20_000 * DAY + 5 * HOUR;

const daily: Schedule = { periodMs: DAY, anchorMs: 150 * MINUTE, text: "at 02:30" };
const often: Schedule = { periodMs: MINUTE, anchorMs: 0, text: "every 1min" };
const DUE = latestMoment(daily, NOW);
const LATE = ["the scheduled base has not ended well for two of its periods"];

const turn = (more: Partial<TurnBasis>) =>
  planTurn({
    ...{ jobs: [{ name: "base", schedule: daily }], record: {}, isHeld: false, seen: new Map() },
    ...{ nowMs: NOW },
    ...more,
  });

const runOf = (nowMs: number, dueMs = DUE, attempt = 1): ScheduleRecord =>
  begun({}, { name: "base", dueMs, attempt }, { by: "n1", nowMs });
const failedAt = (nowMs: number, attempt = 1): ScheduleRecord =>
  ended(runOf(nowMs, DUE, attempt), "base", { nowMs, ending: { outcome: "failed", why: "full" } });
const doneAt = (nowMs: number, dueMs = DUE): ScheduleRecord =>
  ended(runOf(nowMs, dueMs), "base", { nowMs, ending: { outcome: "done" } });

describe("a schedule", () => {
  it("has moments that lie periods apart, one of them the newest that has passed", () => {
    const schedules = fc.record({
      periodMs: fc.integer({ min: 1, max: 30 * DAY }),
      anchorMs: fc.nat(30 * DAY),
      text: fc.constant(""),
    });
    fc.assert(
      fc.property(schedules, fc.nat(NOW), (schedule, nowMs) => {
        const latest = latestMoment(schedule, nowMs);
        expect(latest).toBeLessThanOrEqual(nowMs);
        expect(latest + schedule.periodMs).toBeGreaterThan(nowMs);
        expect(Math.abs(latest - schedule.anchorMs) % schedule.periodMs).toBe(0);
      }),
    );
  });

  it("is a little later for each name, and always as much", () => {
    for (const name of ["shop", "bank", "blog"]) {
      const later = withJitter(daily, name);
      expect(later).toEqual(withJitter(daily, name));
      expect(later.anchorMs - daily.anchorMs).toBeLessThan(5 * MINUTE);
    }
    expect(withJitter(often, "shop").anchorMs).toBeLessThan(6_000);
    expect(withJitter(daily, "shop")).not.toEqual(withJitter(daily, "bank"));
  });
});

describe("whose turn it is", () => {
  it("begins with what was never run, and with the first of several", () => {
    const jobs = [
      { name: "base", schedule: daily },
      { name: "verify", schedule: often },
    ];
    const job = { name: "base", dueMs: DUE, attempt: 1 };
    expect(turn({ jobs })).toEqual({ kind: "due", job });
    expect(turn({ jobs, record: doneAt(NOW) })).toMatchObject({ job: { name: "verify" } });
  });

  it("is nobody's while somebody runs a job", () => {
    expect(turn({ isHeld: true })).toMatchObject({ kind: "wait" });
  });

  it("makes up for what was missed once", () => {
    const record = doneAt(NOW - 9 * DAY, DUE - 9 * DAY);
    expect(turn({ record })).toEqual({
      kind: "due",
      job: { name: "base", dueMs: DUE, attempt: 1 },
    });
    expect(turn({ record: doneAt(NOW) })).toEqual({ kind: "wait", untilMs: DUE + DAY });
  });

  it("tries again what failed, and leaves it to the next moment in the end", () => {
    const record = failedAt(NOW);
    expect(turn({ record })).toEqual({ kind: "wait", untilMs: NOW + 10 * MINUTE });
    const later = turn({ record, nowMs: NOW + 10 * MINUTE });
    expect(later).toMatchObject({ kind: "due", job: { attempt: 2 } });
    const last = failedAt(NOW, MOST_ATTEMPTS);
    expect(turn({ record: last, nowMs: NOW + HOUR })).toEqual({
      kind: "wait",
      untilMs: DUE + DAY,
    });
    expect(turn({ record: last, nowMs: NOW + DAY })).toMatchObject({ job: { attempt: 1 } });
  });

  it("takes over from a runner that is gone, or that has handed it on", () => {
    expect(turn({ record: runOf(NOW) })).toMatchObject({ job: { attempt: 2 } });
    expect(turn({ record: runOf(NOW, DUE, MOST_ATTEMPTS) })).toMatchObject({ kind: "wait" });
    const ending = { outcome: "handed-on", why: "the agent leaves" } as const;
    const record = ended(runOf(NOW), "base", { nowMs: NOW, ending });
    expect(turn({ record })).toMatchObject({ kind: "due", job: { attempt: 1 } });
  });

  it("does not believe a record of the future, nor run twice what it has seen run", () => {
    const record = doneAt(NOW + 300 * DAY, DUE + 300 * DAY);
    expect(turn({ record })).toMatchObject({ kind: "due", job: { dueMs: DUE } });
    const seen = new Map([["base", DUE]]);
    expect(turn({ record, seen })).toEqual({ kind: "wait", untilMs: DUE + DAY });
  });

  it("waits with a clock that went back", () => {
    const record = doneAt(NOW, DUE);
    const back = turn({ record, nowMs: DUE - 30 * MINUTE });
    expect(back).toEqual({ kind: "wait", untilMs: DUE + DAY });
  });

  it("runs every moment once when time goes on, whatever the pauses between the looks", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 * HOUR }), { maxLength: 60 }), (pauses) => {
        const schedule: Schedule = { periodMs: HOUR, anchorMs: 7 * MINUTE, text: "" };
        const jobs = [{ name: "base", schedule }];
        let record: ScheduleRecord = {};
        let nowMs = NOW;
        const runs: number[] = [];
        for (const pause of pauses) {
          const next = turn({ jobs, record, nowMs });
          if (next.kind === "due") {
            runs.push(next.job.dueMs);
            record = begun(record, next.job, { by: "n1", nowMs });
            record = ended(record, "base", { nowMs, ending: { outcome: "done" } });
          }
          expect(turn({ jobs, record, nowMs })).toEqual({
            kind: "wait",
            untilMs: nextMoment(schedule, nowMs),
          });
          nowMs += pause;
        }
        expect(new Set(runs).size).toBe(runs.length);
      }),
    );
  });
});

it("warns of what failed and of what stays away", () => {
  const jobs = [{ name: "base", schedule: daily }];
  expect(scheduleWarnings(jobs, doneAt(NOW), NOW)).toEqual([]);
  expect(scheduleWarnings(jobs, failedAt(NOW), NOW)).toEqual([
    "the scheduled base failed on n1: full",
  ]);
  expect(scheduleWarnings(jobs, doneAt(NOW), NOW + 3 * DAY)).toEqual(LATE);
});

it("warns of what takes down every node that runs it, also when it never ended", () => {
  const jobs = [{ name: "base", schedule: daily }];
  const job = { name: "base", dueMs: DUE + 2 * DAY, attempt: 1 };
  const again = begun(runOf(NOW), job, { by: "n2", nowMs: NOW + 2 * DAY });
  expect(scheduleWarnings(jobs, again, NOW + 2 * DAY)).toEqual([]);
  const read = parseSchedule(printSchedule(again));
  expect(scheduleWarnings(jobs, read, NOW + 3 * DAY)).toEqual(LATE);
});

describe("what has a window", () => {
  const weekly: Schedule = {
    periodMs: 7 * DAY,
    anchorMs: 0,
    text: "weekly",
    windowMs: 30 * MINUTE,
  };
  const moment = latestMoment(weekly, NOW);
  const before = moment - weekly.periodMs;
  const at = (nowMs: number, record: ScheduleRecord, more: Partial<TurnBasis> = {}) =>
    turn({ jobs: [{ name: "base", schedule: weekly }], record, nowMs, ...more });

  it("begins once, within it", () => {
    const due = { kind: "due", job: { name: "base", dueMs: moment, attempt: 1 } };
    expect(at(moment + MINUTE, {})).toEqual(due);
    expect(at(moment + 30 * MINUTE, doneAt(before, before))).toEqual(due);
    const next = { kind: "wait", untilMs: moment + weekly.periodMs };
    for (const outcome of ["done", "failed", "skipped", "handed-on"] as const) {
      const ending = outcome === "done" ? { outcome } : { outcome, why: "so" };
      const record = ended(runOf(moment, moment), "base", { nowMs: moment + MINUTE, ending });
      expect([outcome, at(moment + 2 * MINUTE, record)]).toEqual([outcome, next]);
    }
  });

  it("is noted as missed afterwards, and not made up for", () => {
    expect(at(moment + 31 * MINUTE, doneAt(before, before))).toEqual({
      kind: "due",
      job: {
        name: "base",
        dueMs: moment,
        attempt: 1,
        missed: "nobody could begin it in its window",
      },
    });
    const wait = { kind: "wait", untilMs: moment + weekly.periodMs };
    expect(at(moment + 31 * MINUTE, {})).toEqual(wait);
  });

  it("is over when its runner is gone", () => {
    expect(at(moment + MINUTE, runOf(moment, moment))).toMatchObject({
      job: { dueMs: moment, missed: "n1 ran it and is gone" },
    });
    const held = at(moment + MINUTE, runOf(moment, moment), { isHeld: true });
    expect(held).toMatchObject({ kind: "wait" });
  });

  it("is nobody's who has it only since after its moment", () => {
    const jobs = [{ name: "base", schedule: weekly, sinceMs: moment + MINUTE }];
    const open = { kind: "wait", untilMs: moment + 30 * MINUTE + 1 };
    expect(at(moment + 2 * MINUTE, {}, { jobs })).toEqual(open);
    const over = { kind: "wait", untilMs: moment + weekly.periodMs };
    expect(at(moment + 31 * MINUTE, {}, { jobs })).toEqual(over);
  });

  it("warns with its reason once two periods were skipped", () => {
    const ending = { outcome: "skipped", why: "paused" } as const;
    const skipped = ended(doneAt(before, before), "base", { nowMs: moment, ending });
    const jobs = [{ name: "base", schedule: weekly }];
    expect(scheduleWarnings(jobs, skipped, moment)).toEqual([]);
    expect(scheduleWarnings(jobs, skipped, before + 15 * DAY)).toEqual([
      `${LATE[0]}; skipped: paused`,
    ]);
    expect(parseSchedule(printSchedule(skipped))).toEqual(skipped);
  });
});
