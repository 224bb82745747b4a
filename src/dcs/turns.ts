// Who runs the next job of the schedule? One member at a time, by a key that ends with its lease.
//
// What was run is written by that member alone: each of its writes compares the creation revision of its key, so one that
// was thought dead and wakes up overwrites nothing.
import type { ScheduleRecord } from "../model/schedule.ts";
import type { Ms } from "../model/time.ts";
import { parseSchedule, printSchedule } from "../model/wire/schedule.ts";
import type { WriteOutcome } from "../ports/dcs.ts";
import type { Store } from "../ports/store.ts";
import type { Keys } from "./keys.ts";

export interface SeenTurns {
  readonly record: ScheduleRecord;
  readonly revision: number;
  /** Who runs a job just now. */
  readonly runner: string | undefined;
}

export interface Claim {
  readonly name: string;
  readonly leaseId: string;
  readonly ttlMs: Ms;
  /** What was run, with this run as one that has begun. */
  readonly record: ScheduleRecord;
}

/** All calls throw STORE_… when the store cannot be reached. */
export interface Turns {
  read(timeoutMs: Ms): Promise<SeenTurns>;
  /** The number under which the end is written; undefined when somebody else was first. */
  claim(seen: SeenTurns, claim: Claim, timeoutMs: Ms): Promise<number | undefined>;
  /** Still ours? Counted from before the call, it is for as long as it was claimed for. */
  keep(leaseId: string, timeoutMs: Ms): Promise<"alive" | "gone">;
  end(number: number, record: ScheduleRecord, timeoutMs: Ms): Promise<WriteOutcome>;
}

export function turnsIn(store: Store, keys: Keys): Turns {
  const { schedule, scheduleRun } = keys;
  return {
    async read(timeoutMs) {
      const { entries } = await store.range(schedule, { timeoutMs });
      const written = entries.find(({ key }) => key === schedule);
      return {
        record: parseSchedule(written?.value),
        revision: written?.modRevision ?? 0,
        runner: entries.find(({ key }) => key === scheduleRun)?.value,
      };
    },
    async claim(seen, { name, leaseId, ttlMs, record }, timeoutMs) {
      await store.grant(leaseId, ttlMs, { timeoutMs });
      const { succeeded, header } = await store.commit(
        [
          { key: scheduleRun, target: "create", equals: 0 },
          { key: schedule, target: "mod", equals: seen.revision },
        ],
        [
          { kind: "put", key: scheduleRun, value: name, lease: leaseId },
          { kind: "put", key: schedule, value: printSchedule(record) },
        ],
        { timeoutMs },
      );
      return succeeded ? header.revision : undefined;
    },
    async keep(leaseId, timeoutMs) {
      return (await store.keepAlive(leaseId, { timeoutMs })) === "gone" ? "gone" : "alive";
    },
    async end(number, record, timeoutMs) {
      const { succeeded } = await store.commit(
        [{ key: scheduleRun, target: "create", equals: number }],
        [
          { kind: "delete", key: scheduleRun },
          { kind: "put", key: schedule, value: printSchedule(record) },
        ],
        { timeoutMs },
      );
      return succeeded ? "written" : "refused";
    },
  };
}
