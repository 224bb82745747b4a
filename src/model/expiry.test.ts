// What expires, and its one promise: whatever a kept backup led to before, it leads to afterwards, on every timeline.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredWal } from "./coverage.ts";
import {
  type ExpiryPlan,
  isBelow,
  planExpiry,
  type SeenBackup,
  type SeenRecord,
  STALE_MS,
  whyNotNow,
} from "./expiry.ts";
import { lsn, maxLsn } from "./lsn.ts";
import type { Retention } from "./repository.ts";
import { type HistoryLine } from "./timeline.ts";
import { printSegment, segmentStart } from "./wal-name.ts";
import { segmentsIn, windowFrom } from "./wal-window.ts";

const SEGMENT = 16 * 1024 * 1024;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 1000 * DAY;

const idOf = (n: number): string => `20260101T000000Z-${n.toString(16).padStart(8, "0")}`;

interface Made {
  readonly n: number;
  readonly timeline: number;
  /** Where in the WAL, in halves of a segment. */
  readonly at: number;
  readonly hoursAgo: number;
  readonly verified: SeenRecord["verified"];
  readonly state: "whole" | "marked" | "unfinished" | "unreadable";
  readonly isInUse: boolean;
}

function backupOf(made: Made): SeenBackup {
  const { n, timeline, at, hoursAgo, verified, state, isInUse } = made;
  const finishedAtMs = NOW - hoursAgo * HOUR;
  const from = {
    timeline,
    startLsn: lsn((BigInt(at) * BigInt(SEGMENT)) / 2n),
    segmentBytes: SEGMENT,
  };
  const record = { finishedAtMs, verified, from, group: "base" };
  const hasRecord = state === "whole" || state === "marked";
  return {
    ...{ kind: "base", id: idOf(n), state, sizeBytes: 10, lastSignMs: finishedAtMs, isInUse },
    record: hasRecord ? record : undefined,
  };
}

/** Timelines 1, 2, 3…, each leaving the one before it at a place of its own; WAL with or without holes. */
const worlds = fc
  .record({
    forks: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 3 }),
    holes: fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 2 }),
    backups: fc.array(
      fc.record({
        timeline: fc.integer({ min: 1, max: 4 }),
        at: fc.integer({ min: 0, max: 60 }),
        hoursAgo: fc.integer({ min: 0, max: 60 * 24 }),
        verified: fc.constantFrom("passed" as const, "failed" as const, "never" as const),
        state: fc.constantFrom(
          ...(["whole", "whole", "whole", "whole", "marked", "unfinished", "unreadable"] as const),
        ),
        isInUse: fc.constantFrom(false, false, false, true),
      }),
      { maxLength: 9 },
    ),
  })
  .map(({ forks, holes, backups }) => {
    const ends = forks.toSorted((a, b) => a - b);
    return {
      wal: walOf(ends, holes),
      backups: backups.map((made, n) =>
        backupOf({ ...made, n, timeline: Math.min(made.timeline, ends.length + 1) }),
      ),
    };
  });

function walOf(ends: readonly number[], holes: readonly number[]): readonly string[] {
  const names: string[] = [];
  for (let timeline = 1; timeline <= ends.length + 1; timeline++) {
    const from = timeline === 1 ? 0 : Math.floor((ends[timeline - 2] ?? 0) / 2);
    for (let number = from; number <= 32; number++)
      if (!holes.includes(number)) names.push(printSegment({ timeline, number }, SEGMENT));
  }
  return [...names, ...ends.map((end, at) => `${at + 2}@${end}`)];
}

/** The same names as an archive; `2@13` stands for the history of timeline 2, which began at the 13th half segment. */
function archiveOf(names: readonly string[]): StoredWal {
  const ends = names.flatMap((name) => (name.includes("@") ? [Number(name.split("@")[1])] : []));
  const lines = ends.map(
    (end, at): HistoryLine => ({
      timeline: at + 1,
      endLsn: lsn((BigInt(end) * BigInt(SEGMENT)) / 2n),
      reason: "",
    }),
  );
  const histories = new Map(ends.map((_, at) => [at + 2, lines.slice(0, at + 1)] as const));
  return { segmentSize: SEGMENT, segments: segmentsIn(names, SEGMENT), partials: [], histories };
}

/** Everything that a backup leads to, on each timeline. */
function leadsTo({ record }: SeenBackup, names: readonly string[]) {
  const from = record?.from;
  if (from === undefined) return undefined;
  const stopLsn = maxLsn(from.startLsn, segmentStart(0, SEGMENT));
  const archive = archiveOf(names);
  return [1, 2, 3, 4].map((timeline) => windowFrom(archive, { ...from, stopLsn }, { timeline }));
}

const policies: fc.Arbitrary<Retention> = fc.record({
  base: fc.option(
    fc.record({
      count: fc.integer({ min: 1, max: 4 }),
      spanMs: fc.option(
        fc.integer({ min: 1, max: 40 }).map((days) => days * DAY),
        {
          nil: undefined,
        },
      ),
    }),
    { nil: undefined },
  ),
  logical: fc.constant(undefined),
});

const goingIn = ({ backups }: ExpiryPlan): readonly string[] =>
  backups.flatMap(({ id, fate }) => (fate === "goes" ? [id] : []));

describe("expiry", () => {
  it("leaves everything that a kept backup leads to, on every timeline", () => {
    fc.assert(
      fc.property(worlds, policies, ({ wal, backups }, retention) => {
        const plan = planExpiry({ backups, newestMs: NOW }, retention, { nowMs: NOW });
        const { walFloor } = plan;
        const left = wal.filter((name) => walFloor === undefined || !isBelow(name, walFloor));
        const gone = new Set(goingIn(plan));
        for (const backup of backups.filter(({ id }) => !gone.has(id)))
          expect(leadsTo(backup, left)).toEqual(leadsTo(backup, wal));
      }),
      { numRuns: 400 },
    );
  });

  it("never lets go the last verified one, one in use, or what it does not understand", () => {
    fc.assert(
      fc.property(worlds, policies, ({ backups }, retention) => {
        const plan = planExpiry({ backups, newestMs: NOW }, retention, { nowMs: NOW });
        const gone = new Set(goingIn(plan));
        const whole = backups.filter(({ state }) => state === "whole");
        const proven = whole.filter(({ record }) => record?.verified === "passed");
        if (proven.length > 0) expect(proven.some(({ id }) => !gone.has(id))).toBe(true);
        else for (const { id } of whole) expect(gone).not.toContain(id);
        for (const { id, isInUse, state } of backups)
          if (isInUse || state === "unreadable") expect(gone).not.toContain(id);
        const isUnclear = backups.some(
          ({ id, state }) => !gone.has(id) && (state === "unreadable" || state === "unfinished"),
        );
        if (isUnclear || retention.base === undefined) expect(plan.walFloor).toBeUndefined();
      }),
      { numRuns: 400 },
    );
  });

  it("removes nothing that was not agreed to", () => {
    fc.assert(
      fc.property(worlds, policies, fc.nat(8), ({ backups }, retention, n) => {
        const agreed = new Set([idOf(n)]);
        const seen = { backups, newestMs: NOW };
        const plan = planExpiry(seen, retention, { nowMs: NOW, agreed });
        for (const id of goingIn(plan)) expect(agreed).toContain(id);
      }),
    );
  });

  it("counts dumps of each database by themselves", () => {
    const dump = (n: number, group: string): SeenBackup => ({
      ...{ kind: "logical", id: idOf(n), state: "whole", sizeBytes: 1, isInUse: false },
      lastSignMs: NOW,
      record: { finishedAtMs: NOW - n * DAY, verified: "passed", from: undefined, group },
    });
    const backups = [dump(1, "shop"), dump(2, "shop"), dump(3, "shop"), dump(9, "one table")];
    const retention = { base: undefined, logical: { count: 2, spanMs: undefined } };
    const plan = planExpiry({ backups, newestMs: NOW }, retention, { nowMs: NOW });
    expect(goingIn(plan)).toEqual([idOf(3)]);
  });

  it("keeps a backup that is not whole for a day after its last sign", () => {
    const made = { n: 1, timeline: 1, at: 2, verified: "never", isInUse: false } as const;
    const left = (ms: number): SeenBackup => ({
      ...backupOf({ ...made, hoursAgo: 0, state: "unfinished" }),
      lastSignMs: NOW - ms,
    });
    const retention = { base: { count: 1, spanMs: undefined }, logical: undefined };
    const goes = (one: SeenBackup) =>
      goingIn(planExpiry({ backups: [one], newestMs: NOW }, retention, { nowMs: NOW }));
    expect(goes(left(STALE_MS - 1))).toEqual([]);
    expect(goes(left(STALE_MS))).toEqual([idOf(1)]);
    expect(goes({ ...left(STALE_MS), isInUse: true })).toEqual([]);
  });
});

describe("a clock that cannot be believed", () => {
  const made = { n: 1, timeline: 1, at: 2, verified: "passed", isInUse: false } as const;
  const ended = (hoursAgo: number) => [backupOf({ ...made, hoursAgo, state: "whole" })];
  it.each([
    ["is no reason to wait while it agrees", ended(1), NOW - HOUR, NOW, undefined],
    [
      "is behind what was stored",
      ended(1),
      NOW + 3 * HOUR,
      undefined,
      "stored 3h 0m in the future",
    ],
    ["is behind a backup", ended(-5), NOW, undefined, "ends 5h 0m in the future"],
    ["has jumped ahead of everything", ended(300), NOW - 9 * DAY, undefined, "for 9d 0h"],
    ["differs from the store's", ended(1), NOW, NOW - 2 * HOUR, "differ by 2h 0m"],
  ])("%s", (_, backups, newestMs, storeMs, why) => {
    const said = whyNotNow({ backups, newestMs }, { nowMs: NOW, storeMs });
    if (why === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(why);
  });
});
