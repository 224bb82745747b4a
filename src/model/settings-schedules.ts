// When does what run by itself? (section `backup.schedules`)
import type { JobSchedule, Schedule, Schedules } from "./schedule.ts";
import { isScheduledName, SCHEDULED_JOBS } from "./schedule-jobs.ts";
import type { Section } from "./settings-reader.ts";
import { parseDuration } from "./wire/duration.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const WEEK_MS = 7 * DAY_MS;
/** 1970 began on a Thursday. */
const DAYS = [
  "thursday",
  "friday",
  "saturday",
  "sunday",
  "monday",
  "tuesday",
  "wednesday",
] as const;

/** Undefined when nothing is written: then nothing runs by itself. */
export function readSchedules(backup: Section): Schedules | undefined {
  if (!backup.has("schedules")) return undefined;
  const section = backup.section("schedules");
  const waitInPause = section.choice("while_paused", ["run", "wait"]) === "wait";
  const jobs: Record<string, JobSchedule> = {};
  for (const name of section.names()) {
    if (name === "while_paused") continue;
    if (!isScheduledName(name)) {
      const known = Object.keys(SCHEDULED_JOBS).join(", ");
      section.problem(name, `is no job that runs by schedule: there are ${known}`);
      continue;
    }
    const job = readJob(section, name);
    if (job !== undefined) jobs[name] = job;
  }
  section.close();
  return { jobs, waitInPause };
}

function readJob(schedules: Section, name: string): JobSchedule | undefined {
  const section = schedules.section(name);
  const schedule = readMoments(schedules, name, section);
  const databases = name === "logical" ? section.items("databases").map(({ text }) => text) : [];
  if (name === "logical" && databases.length === 0)
    schedules.problem(name, "needs databases: name those that are dumped");
  section.close();
  return schedule && { ...schedule, databases };
}

/** `every`, or `at` with `on` and `weeks`, of the section `name`; undefined after a problem was noted. */
export function readMoments(parent: Section, name: string, section: Section): Schedule | undefined {
  if (section.has("every") === section.has("at"))
    parent.problem(name, "needs either every (6h) or at (02:30, in UTC)");
  return section.has("every") ? readEvery(section) : readMoment(section);
}

function readEvery(section: Section): Schedule | undefined {
  const text = section.text("every") ?? "";
  for (const key of ["on", "weeks"])
    if (section.has(key)) section.problem(key, "goes with at, not with every");
  const periodMs = parseDuration(text);
  if (periodMs !== undefined && periodMs >= MINUTE_MS)
    return { periodMs, anchorMs: 0, text: `every ${text}` };
  section.problem("every", `must be a time of a minute or more, like 6h or 7d, not "${text}"`);
  return undefined;
}

function readMoment(section: Section): Schedule | undefined {
  const text = section.text("at") ?? "";
  const day = section.choice("on", DAYS);
  const weeks = section.number("weeks", { min: 1, max: 52 }) ?? 1;
  if (section.has("weeks") && day === undefined)
    section.problem("weeks", "needs a day: on: sunday");
  if (!section.has("at")) return undefined;
  const [, hours = "", minutes = ""] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (minutes === "") {
    section.problem("at", `must be a time of day like 02:30, in UTC, not "${text}"`);
    return undefined;
  }
  const inDayMs = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  if (day === undefined) return { periodMs: DAY_MS, anchorMs: inDayMs, text: `at ${text} UTC` };
  const anchorMs = DAYS.indexOf(day) * DAY_MS + inDayMs;
  const each = weeks === 1 ? "" : ` of each ${weeks} weeks`;
  return { periodMs: weeks * WEEK_MS, anchorMs, text: `at ${text} UTC on ${day}${each}` };
}
