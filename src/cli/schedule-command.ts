// The command that says what is made by itself, backups, drills and game days: when, by whom, how the last one ended.
import type { Command } from "commander";
import pc from "picocolors";
import { printSpan } from "../model/amounts.ts";
import type { ScheduledJson, ScheduleJson } from "../model/wire/schedule.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { call, listIn, look } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, width, wrap } from "./terminal.ts";

const JOBS: readonly Column<ScheduledJson>[] = [
  { title: "JOB", cell: ({ job }) => job },
  { title: "WHEN", cell: ({ when }) => when, leaves: 2 },
  { title: "NEXT", cell: nextText },
  { title: "LAST", cell: lastText },
  { title: "ON", cell: ({ last }) => last?.by ?? "nobody" },
  { title: "TOOK", cell: tookText, leaves: 1 },
];

async function showSchedule(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const schedule = await readSchedule(targetOf(flags));
  if (flags.json === true) printJsonText(schedule);
  else {
    print(wrap(sentenceOn(schedule), width()));
    if (schedule.items.length > 0) print(table(JOBS, schedule.items, width()));
    for (const warning of schedule.warnings) print(pc.yellow(wrap(`! ${warning}`, width())));
  }
  if (schedule.warnings.length > 0) process.exitCode = EXIT.degraded;
}

/** Any member tells it from the store; the one that answered the look is asked. */
export async function readSchedule(target: Target): Promise<ScheduleJson> {
  const { members, member } = await look(target);
  const apiUrl = members.find(({ name }) => name === member)?.apiUrl ?? members[0]?.apiUrl;
  if (apiUrl === undefined) throw new CliFailure(EXIT.precondition, "the cluster has no member");
  const url = `${apiUrl}/understudy/backup/schedule`;
  const answer = await call(target, { method: "GET", url });
  const told = listIn(answer);
  if (told !== undefined) return told.whole as unknown as ScheduleJson;
  const [what = "", ...more] = answer.body.split("\n");
  throw new CliFailure(EXIT.unreachable, `${member} does not tell the schedule`, what, ...more);
}

function sentenceOn({ items, runner, member }: ScheduleJson): string {
  if (items.length === 0)
    return `nothing runs by itself: the file of ${member} has neither backup.schedules nor game_days`;
  if (runner !== undefined) return `${runner} runs a job of the schedule now`;
  const next = items.toSorted((a, b) => a.nextMs - b.nextMs)[0];
  return `nothing of the schedule runs now; next is ${next?.job} ${next === undefined ? "" : nextText(next)}`;
}

export function nextText({ nextMs }: Pick<ScheduledJson, "nextMs">): string {
  const left = nextMs - Date.now();
  return left <= 0 ? "now" : `in ${printSpan(left)}`;
}

function lastText({ last }: ScheduledJson): string {
  if (last === undefined) return "never";
  const { outcome, endedAtMs, startedAtMs } = last;
  return `${outcome} ${printSpan(Math.max(0, Date.now() - (endedAtMs ?? startedAtMs)))} ago`;
}

function tookText({ last }: ScheduledJson): string {
  if (last?.endedAtMs === undefined) return "n/a";
  return printSpan(Math.max(0, last.endedAtMs - last.startedAtMs));
}

/** Adds it to `understudy backup`. */
export function registerSchedule(backup: Command): void {
  backup
    .command("schedule")
    .description("what runs by itself, game days too: when, by whom, and how the last one ended")
    .option("--json", "for programs")
    .action(showSchedule);
}
