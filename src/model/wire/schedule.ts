// How does the store keep what was run by schedule, and how is it told? Fields are only ever added.
import type { JobRecord, RunNote, ScheduleRecord } from "../schedule.ts";
import { isObject, parseJson } from "./json.ts";

const OUTCOMES = ["running", "done", "failed", "handed-on", "skipped"] as const;

export const printSchedule = (record: ScheduleRecord): string => JSON.stringify(record);

/** What cannot be read says nothing: then the job counts as one that was never run. */
export function parseSchedule(text: string | undefined): ScheduleRecord {
  const read = text === undefined ? undefined : parseJson(text);
  if (!isObject(read)) return {};
  return Object.fromEntries(
    Object.entries(read).flatMap(([name, value]) => {
      const job = jobIn(value);
      return job === undefined ? [] : [[name, job]];
    }),
  );
}

function jobIn(value: unknown): JobRecord | undefined {
  if (!isObject(value) || !isObject(value["last"])) return undefined;
  const { dueMs, attempt, by, startedAtMs, outcome } = value["last"];
  const isNote =
    [dueMs, attempt, startedAtMs].every((number) => Number.isFinite(number)) &&
    typeof by === "string" &&
    OUTCOMES.some((one) => one === outcome);
  if (!isNote) return undefined;
  const { firstMs, doneMs } = value;
  return {
    last: value["last"] as unknown as RunNote,
    ...(typeof firstMs === "number" ? { firstMs } : {}),
    ...(typeof doneMs === "number" ? { doneMs } : {}),
  };
}

/** One job of the schedule, as `GET /understudy/backup/schedule` tells it. */
export interface ScheduledJson {
  readonly job: string;
  readonly about: string;
  /** As it is written in the node's file. */
  readonly when: string;
  readonly nextMs: number;
  readonly last?: RunNote;
  readonly doneMs?: number;
}

export interface ScheduleJson {
  readonly apiVersion: "understudy/v1";
  readonly kind: "Schedule";
  readonly asOf: string;
  readonly member: string;
  /** Who runs a job just now. */
  readonly runner?: string;
  readonly warnings: readonly string[];
  readonly items: readonly ScheduledJson[];
}
