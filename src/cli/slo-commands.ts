// The command that shows the error budget: how much of it is spent, how fast, by what, and what is left.
import type { Command } from "commander";
import pc from "picocolors";
import { momentText } from "../incident/told.ts";
import { printSpan } from "../model/amounts.ts";
import type { Outage, Part } from "../model/budget.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import { availabilityOf, type WayReport } from "./availability.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { type Shared, targetOf } from "./shared.ts";
import { registerSloMaintenance } from "./slo-maintenance-commands.ts";
import { type Column, table } from "./table.ts";
import { print, printJsonText, width, wrap } from "./terminal.ts";

const MOST_TOLD = 8;

async function slo(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const target = targetOf(flags);
  const now = Date.now();
  const reports = await availabilityOf(target, now);
  if (reports.length === 0) {
    throw new CliFailure(
      EXIT.precondition,
      `nothing measures the availability of ${target.scope}`,
      "no node's file has an availability section, so that nobody writes into your database unasked",
      "see docs/howto/availability.md",
    );
  }
  if (flags.json === true) {
    const asOf = printRfc3339(now);
    printJsonText({ apiVersion: "understudy/v1", kind: "Slo", asOf, items: reports });
  } else print(screen(reports, width()));
  process.exitCode = exitOf(reports);
}

const COLUMNS: readonly Column<WayReport>[] = [
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

function screen(reports: readonly WayReport[], columns: number): string {
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

function sentenceOf(reports: readonly WayReport[]): string {
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
function exitOf(reports: readonly WayReport[]): number {
  if (reports.some(({ takesWrites }) => !takesWrites)) return EXIT.critical;
  const isSpent = reports.some(({ month, year }) =>
    [month, year].some(({ planned, unplanned }) => planned.leftMs < 0 || unplanned.leftMs < 0),
  );
  return isSpent ? EXIT.degraded : EXIT.ok;
}

export function registerSlo(program: Command): void {
  const command = program
    .command("slo")
    .description(
      "the error budget over each way in: spent, left, burn rate, what spent it; ends with 4 while writes fail, 3 when spent",
    )
    .option("--json", "for programs")
    .action(slo);
  registerSloMaintenance(command);
}
