// The command that shows the error budget: how much of it is spent, how fast, by what, and what is left.
import type { Command } from "commander";
import pc from "picocolors";
import type { Incident } from "../incident/incident.ts";
import { attributed } from "../incident/spent.ts";
import { momentText } from "../incident/told.ts";
import { printSpan } from "../model/amounts.ts";
import {
  type Account,
  accountOf,
  burnRate,
  type Objective,
  type Outage,
  type Part,
  type Span,
  windowsAround,
} from "../model/budget.ts";
import { isObject } from "../model/wire/json.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { call, look, plainJson } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, width, wrap } from "./terminal.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MOST_TOLD = 8;

interface Way {
  readonly by: string;
  readonly path: string;
  readonly takesWrites: boolean;
  readonly why?: string;
  readonly objective: Objective;
  readonly outages: readonly Outage[];
  readonly measured: readonly Span[];
}

interface Report extends Way {
  readonly month: Account;
  readonly year: Account;
  readonly burn: { readonly hour: number | undefined; readonly day: number | undefined };
}

async function slo(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const target = targetOf(flags);
  const { ways, incidents } = await measuredBy(target);
  if (ways.length === 0) {
    throw new CliFailure(
      EXIT.precondition,
      `nothing measures the availability of ${target.scope}`,
      "no node's file has an availability section, so that nobody writes into your database unasked",
      "see docs/howto/availability.md",
    );
  }
  const now = Date.now();
  const reports = ways.map((way) => reportOf(way, incidents, now));
  if (flags.json === true) {
    const asOf = printRfc3339(now);
    printJsonText({ apiVersion: "understudy/v1", kind: "Slo", asOf, items: reports });
  } else print(screen(reports, width()));
  process.exitCode = exitOf(reports);
}

function reportOf(way: Way, incidents: readonly Incident[], now: number): Report {
  const outages = attributed(way.outages, incidents);
  const seen = { outages, measured: way.measured, now };
  const { month, year } = windowsAround(now);
  return {
    ...way,
    outages,
    month: accountOf(seen, month, way.objective),
    year: accountOf(seen, year, way.objective),
    burn: {
      hour: burnRate(seen, HOUR_MS, way.objective),
      day: burnRate(seen, DAY_MS, way.objective),
    },
  };
}

/** All nodes are asked; those that measure nothing say so. */
async function measuredBy(target: Target) {
  const { members, routers = [], member } = await look(target);
  const nodes = [...members, ...routers];
  const urls = [...new Set(nodes.map(({ apiUrl }) => apiUrl))];
  const answers = await Promise.all(urls.map((url) => waysOf(target, url).catch(() => [])));
  const apiUrl = members.find(({ name }) => name === member)?.apiUrl ?? target.urls[0] ?? "";
  const told = await itemsAt(target, `${apiUrl}/understudy/incidents`).catch(() => undefined);
  return { ways: answers.flat(), incidents: (told?.items ?? []) as readonly Incident[] };
}

async function waysOf(target: Target, apiUrl: string): Promise<readonly Way[]> {
  const found = await itemsAt(target, `${apiUrl}/understudy/availability`);
  if (found === undefined) return [];
  const { objective, member } = found.whole as { objective: Objective; member: string };
  return (found.items as readonly Omit<Way, "by" | "objective">[]).map((item) => ({
    ...item,
    by: member,
    objective,
  }));
}

async function itemsAt(target: Target, url: string) {
  const answer = await call(target, { method: "GET", url, timeoutMs: 10_000 });
  const value = answer.status === 200 ? plainJson(answer.body) : undefined;
  if (!isObject(value) || !Array.isArray(value["items"])) return undefined;
  return { whole: value, items: value["items"] as readonly unknown[] };
}

const COLUMNS: readonly Column<Report>[] = [
  { title: "WAY", cell: ({ path }) => path },
  { title: "BY", cell: ({ by }) => by, leaves: 1 },
  { title: "NOW", cell: ({ takesWrites }) => (takesWrites ? "writes" : "DOWN") },
  { title: "MONTH", cell: ({ month }) => spentOf(month.total), right: true },
  { title: "YEAR", cell: ({ year }) => spentOf(year.total), right: true },
  { title: "PLANNED LEFT", cell: ({ year }) => leftOf(year.planned), right: true },
  { title: "UNPLANNED LEFT", cell: ({ year }) => leftOf(year.unplanned), right: true },
  { title: "BURN 1h", cell: ({ burn }) => burnText(burn.hour), right: true, leaves: 2 },
  { title: "BURN 1d", cell: ({ burn }) => burnText(burn.day), right: true, leaves: 3 },
];

const spentOf = ({ spentMs }: Part): string => printSpan(spentMs);
const leftOf = ({ leftMs }: Part): string =>
  leftMs < 0 ? `-${printSpan(-leftMs)}` : printSpan(leftMs);
const burnText = (rate: number | undefined): string =>
  rate === undefined ? "?" : `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}×`;

function screen(reports: readonly Report[], columns: number): string {
  const spent = reports
    .flatMap(({ path, outages }) => outages.map((outage) => ({ ...outage, path })))
    .toSorted((a, b) => b.from - a.from)
    .slice(0, MOST_TOLD);
  return [
    wrap(sentenceOf(reports), columns),
    "",
    table(COLUMNS, reports, columns),
    ...(spent.length === 0
      ? []
      : ["", pc.dim("what spent it, newest first"), ...spent.map(lineOf)]),
  ].join("\n");
}

function sentenceOf(reports: readonly Report[]): string {
  const worst = reports.reduce((a, b) => (a.year.total.leftMs <= b.year.total.leftMs ? a : b));
  const { objective, year, path } = worst;
  const percent = `${Number((objective.availability * 100).toFixed(6))} %`;
  const { budgetMs, leftMs } = year.total;
  const left =
    leftMs < 0
      ? `${printSpan(-leftMs)} more than the budget of ${printSpan(budgetMs)} are spent`
      : `${printSpan(leftMs)} of ${printSpan(budgetMs)} are left`;
  return `objective ${percent} a year: ${left} (${path}), measured for ${printSpan(year.measuredMs)} of it`;
}

function lineOf({ from, to, path, planned, incident }: Outage & { readonly path: string }): string {
  const long = to === undefined ? "goes on" : printSpan(to - from);
  const why = incident ?? "no incident is known of that time";
  return `  ${momentText(from)}  ${path}  ${long}  ${planned ? "planned" : "unplanned"}  ${why}`;
}

/** 4 while a way takes no writes, 3 when a budget is spent. */
function exitOf(reports: readonly Report[]): number {
  if (reports.some(({ takesWrites }) => !takesWrites)) return EXIT.critical;
  const isSpent = reports.some(({ month, year }) =>
    [month, year].some(({ planned, unplanned }) => planned.leftMs < 0 || unplanned.leftMs < 0),
  );
  return isSpent ? EXIT.degraded : EXIT.ok;
}

export function registerSlo(program: Command): void {
  program
    .command("slo")
    .description(
      "the error budget over each way in: spent, left, burn rate, what spent it; ends with 4 while writes fail, 3 when spent",
    )
    .option("--json", "for programs")
    .action(slo);
}
