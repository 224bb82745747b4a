// The command that makes a failover on purpose on a real cluster, measures it, and keeps the report.
import { hostname, userInfo } from "node:os";
import type { Command } from "commander";
import { printBytes, printSpan } from "../model/amounts.ts";
import { type GameDay, KINDS, USUAL_PAUSE_MS } from "../model/game-day/game-day.ts";
import {
  isGameDayJob,
  LONGEST_COUNTDOWN_MS,
  type ScheduledGameDay,
  USUAL_LAG_BYTES,
} from "../model/game-day/scheduled.ts";
import { parseDuration } from "../model/wire/duration.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import type { ScheduledJson } from "../model/wire/schedule.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { abortGameDay, gameDayNamed, gameDaysOf } from "./game-day-records.ts";
import { announceGameDay, refuseUnmet, runGameDay } from "./game-day-run.ts";
import { runScheduled, scheduledNamed } from "./game-day-scheduled.ts";
import { conditionsScreen, gameDayList, gameDayScreen } from "./game-day-screen.ts";
import { type Plan, type Situation, situationOf } from "./game-day-situation.ts";
import { memberNamed } from "./rest.ts";
import { readSchedule } from "./schedule-command.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { agreeByName, print, printJsonText, say, width } from "./terminal.ts";

const MEGABYTE = 1024 * 1024;
const SETTLE_MS = 120_000;

interface Flags extends Shared {
  readonly kind?: string;
  readonly to?: string;
  readonly plan?: boolean;
  readonly abort?: boolean;
  readonly confirm?: string;
  readonly maxPause?: string;
  readonly maxLag?: string;
  readonly countdown?: string;
  readonly scheduled?: string;
}

async function failover(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Flags>();
  if (flags.scheduled !== undefined) return scheduled(flags, flags.scheduled);
  const plan = planOf(flags);
  const target = targetOf(flags);
  if (flags.abort === true) return abort(target, flags);
  const tell = tellOf(flags);
  const before = await situationOf(target, plan);
  if (plan.wanted !== undefined) memberNamed(before.overview, plan.wanted);
  tell(conditionsScreen(before.preconditions, width()));
  if (flags.plan === true && flags.json === true) printPlan(target, plan, before.preconditions);
  refuseUnmet(before.preconditions);
  if (flags.plan === true) return;
  await agreeByName({
    name: target.scope,
    consequence: consequenceOf(plan, before.leader.name),
    confirmed: flags.confirm,
  });
  const stage = { target, plan, before, tell };
  end(await runGameDay(stage, await announceGameDay(stage)), flags);
}

const tellOf = ({ json }: Flags): ((words: string) => void) =>
  json === true ? () => undefined : say;

function end(day: GameDay, flags: Flags): void {
  show(day, flags);
  process.exitCode = exitOf(day);
}

/** What a member's schedule calls: everything is in the file, and nobody is asked. */
async function scheduled(flags: Flags, kind: string): Promise<void> {
  const others = ["kind", "to", "plan", "abort", "maxPause", "maxLag", "countdown"] as const;
  if (others.some((name) => flags[name] !== undefined))
    throw new CliFailure(EXIT.usage, "--scheduled goes alone", "the file says everything else");
  const target = targetOf(flags);
  const day = scheduledNamed(target, kind);
  const plan = scheduledPlan(day, target.settings.name);
  const tell = tellOf(flags);
  const showConditions = ({ preconditions }: Situation): void =>
    tell(conditionsScreen(preconditions, width()));
  end(await runScheduled({ target, plan, tell }, day, showConditions), flags);
}

function scheduledPlan(day: ScheduledGameDay, node: string): Plan {
  const { kind, maxPauseMs, maxLagBytes, countdownMs } = day;
  const limits = { maxPauseMs, maxLagBytes, countdownMs, settleMs: SETTLE_MS };
  return { kind, ...limits, by: `the schedule, on ${node}`, wanted: undefined };
}

function planOf(flags: Flags): Plan {
  const kind = KINDS.find((one) => one === (flags.kind ?? "switchover"));
  const refuse = (what: string, why: string): never => {
    throw new CliFailure(EXIT.usage, what, why, "nothing was done");
  };
  if (kind === undefined)
    return refuse(`--kind ${flags.kind} is not possible`, `it is one of ${KINDS.join(", ")}`);
  if (kind === "crash" && flags.to !== undefined)
    refuse("--to does not go with --kind crash", "after a crash the cluster chooses by itself");
  const span = (name: string, written: string | undefined, usual: number): number => {
    const ms = written === undefined ? usual : parseDuration(written);
    return ms ?? refuse(`${name} ${written} is not possible`, "write it like 10s or 2min");
  };
  const countdownMs = span("--countdown", flags.countdown, 5_000);
  if (countdownMs > LONGEST_COUNTDOWN_MS)
    refuse(
      `--countdown ${flags.countdown} is not possible`,
      `it is ${printSpan(LONGEST_COUNTDOWN_MS)} at most: who wants it later starts it later`,
    );
  return {
    kind,
    by: oneself(),
    wanted: flags.to,
    maxLagBytes: flags.maxLag === undefined ? USUAL_LAG_BYTES : megabytesIn(flags.maxLag, refuse),
    maxPauseMs: span("--max-pause", flags.maxPause, USUAL_PAUSE_MS[kind]),
    countdownMs,
    settleMs: SETTLE_MS,
  };
}

const oneself = (): string => `${userInfo().username}@${hostname()}`;

function megabytesIn(written: string, refuse: (what: string, why: string) => never): number {
  const count = Number(written);
  if (Number.isFinite(count) && count >= 0) return count * MEGABYTE;
  return refuse(`--max-lag ${written} is not possible`, "it is a number of megabytes");
}

function consequenceOf({ kind, maxPauseMs, maxLagBytes }: Plan, leader: string): string {
  const pause = `Writes pause for up to ${printSpan(maxPauseMs)}`;
  return kind === "crash"
    ? `The server of ${leader} is killed and the cluster fails over. ${pause}, and open transactions end with an error.`
    : `${leader} hands over to a standby, at most ${printBytes(maxLagBytes)} behind. ${pause}.`;
}

async function abort(target: Target, flags: Flags): Promise<void> {
  const day = await abortGameDay(target, oneself());
  if (flags.json === true) printGameDay(day);
  else print(`${day.id} is aborted: nothing was done`);
}

async function list(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const target = targetOf(flags);
  const [items, coming] = await Promise.all([gameDaysOf(target), comingGameDays(target)]);
  if (flags.json === true) {
    const asOf = printRfc3339(Date.now());
    printJsonText({
      apiVersion: "understudy/v1",
      kind: "GameDays",
      asOf,
      items,
      scheduled: coming,
    });
  } else print(gameDayList(items, coming, width()));
}

/** Of the members' schedule; nothing where it cannot be read. */
async function comingGameDays(target: Target): Promise<readonly ScheduledJson[]> {
  const schedule = await readSchedule(target).catch(() => undefined);
  return (schedule?.items ?? []).filter(({ job }) => isGameDayJob(job));
}

async function showOne(id: string | undefined, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  show(await gameDayNamed(targetOf(flags), id), flags);
}

const show = (day: GameDay, { json }: Shared): void =>
  json === true ? printGameDay(day) : print(gameDayScreen(day, width()));

/** Its own `kind` says how it was done, so the form's name stands beside it. */
function printGameDay(day: GameDay): void {
  const asOf = printRfc3339(Date.now());
  printJsonText({ apiVersion: "understudy/v1", kind: "GameDay", asOf, item: day });
}

function printPlan(target: Target, plan: Plan, items: readonly unknown[]): void {
  const asOf = printRfc3339(Date.now());
  const { kind: how, maxPauseMs, maxLagBytes } = plan;
  const more = { asOf, scope: target.scope, how, maxPauseMs, maxLagBytes };
  printJsonText({ apiVersion: "understudy/v1", kind: "GameDayPlan", ...more, items });
}

/** 4 when a promise was broken, 3 when one could not be judged. */
function exitOf({ report }: GameDay): number {
  if (report?.verdict === "passed") return EXIT.ok;
  return report?.verdict === "failed" ? EXIT.critical : EXIT.degraded;
}

export function registerDrillFailover(drill: Command): void {
  const command = drill
    .command("failover")
    .description(
      "make a failover on purpose and measure it; ends with 4 when a promise was broken, 3 when one could not be judged",
    )
    .option("--kind <kind>", `${KINDS.join(" or ")}; switchover when left out`)
    .option("--to <member>", "with a switchover: who shall lead; the best standby when left out")
    .option("--plan", "only list the conditions, each met or not")
    .option(
      "--max-pause <time>",
      "how long writes may pause: 10s for a switchover, 30s for a crash",
    )
    .option("--max-lag <megabytes>", "how far standbys may be behind; 1 when left out")
    .option(
      "--countdown <time>",
      "how long it can be aborted before it begins: 5min at most, 5s when left out",
    )
    .option(
      "--scheduled <kind>",
      "the one of game_days in the file, within its window and without a question: what the members' schedule calls",
    )
    .option("--abort", "end a drill that is announced and has not begun")
    .option("--confirm <cluster>", "the cluster's name, instead of typing it")
    .option("--json", "for programs")
    .action(failover);
  command
    .command("list")
    .description("all of them that the members have kept, oldest first")
    .option("--json", "for programs")
    .action(list);
  command
    .command("show")
    .argument("[id]", "which one; the newest when left out")
    .description("the report of one")
    .option("--json", "for programs")
    .action(showOne);
}
