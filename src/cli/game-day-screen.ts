// How do the conditions and the report of a failover on purpose look on a terminal?
import pc from "picocolors";
import { momentText } from "../incident/told.ts";
import { printSpan } from "../model/amounts.ts";
import type { Finding, GameDay, Pause } from "../model/game-day/game-day.ts";
import type { Precondition } from "../model/game-day/preconditions.ts";
import type { ScheduledJson } from "../model/wire/schedule.ts";
import { nextText } from "./schedule-command.ts";
import { type Column, table } from "./table.ts";
import { wrap } from "./terminal.ts";

const MARKS: Readonly<Record<Precondition["state"], string>> = {
  met: pc.green("✔"),
  "not met": pc.red("✘"),
  "n/a": pc.dim("-"),
};

export const conditionsScreen = (conditions: readonly Precondition[], width: number): string =>
  [
    "conditions",
    ...conditions.map(({ what, state, figure }) =>
      hang(`  ${MARKS[state]} `, `${what}: ${figure}`, width),
    ),
  ].join("\n");

const KEPT: Readonly<Record<Finding["kept"], string>> = {
  yes: pc.green("✔"),
  no: pc.red("✘"),
  unknown: pc.yellow("?"),
};

const PAUSES: readonly Column<Pause>[] = [
  {
    title: "NO WRITES FOR",
    cell: ({ ms }) => (ms === undefined ? "?" : printSpan(ms)),
    right: true,
  },
  { title: "SEEN BY", cell: ({ by }) => by },
  { title: "HOW", cell: ({ how }) => how, leaves: 1 },
];

export function gameDayScreen(day: GameDay, width: number): string {
  const { report } = day;
  const head = wrap(`${day.id} ${sentenceOf(day)}`, width);
  const begun = `${day.state} ${momentText(day.begunAt ?? day.announcedAt)}, by ${day.by}`;
  if (report === undefined) {
    const why = day.why === undefined ? [] : [wrap(day.why, width)];
    const judged =
      day.preconditions.length === 0 ? [] : ["", conditionsScreen(day.preconditions, width)];
    return [pc.bold(head), begun, ...why, ...judged].join("\n");
  }
  const phases = report.phases.map(
    ({ name, ms }) => `${name} ${ms === undefined ? "?" : printSpan(ms)}`,
  );
  return [
    pc.bold(head),
    begun,
    ...(report.incident === undefined ? [] : [`understudy incident show ${report.incident}`]),
    ...(phases.length === 0 ? [] : [wrap(phases.join(" · "), width)]),
    "",
    table(PAUSES, report.pauses, width),
    "",
    ...report.findings.map(({ name, found, limit, kept }) =>
      hang(`${KEPT[kept]} `, `${name}: ${found} (${limit})`, width),
    ),
  ].join("\n");
}

function sentenceOf({ kind, state, from, report }: GameDay): string {
  if (report === undefined) return `a ${kind} of ${from} is ${state}`;
  const to = report.primary ?? "nobody";
  return `${report.verdict}: a ${kind} of ${from}, and ${to} leads`;
}

const LIST: readonly Column<GameDay>[] = [
  { title: "GAME DAY", cell: ({ id }) => id },
  { title: "KIND", cell: ({ kind }) => kind },
  { title: "STATE", cell: ({ state, report }) => report?.verdict ?? state },
  { title: "PRIMARY", cell: (day) => primaryText(day) },
  { title: "NO WRITES FOR", cell: longestOf, right: true, leaves: 1 },
  { title: "INCIDENT", cell: ({ report }) => report?.incident ?? "none", leaves: 2 },
  { title: "BY", cell: ({ by }) => by, leaves: 3 },
];

const primaryText = ({ from, report }: GameDay): string =>
  report === undefined ? from : `${from} → ${report.primary ?? "?"}`;

function longestOf({ report }: GameDay): string {
  const known = (report?.pauses ?? []).flatMap(({ ms }) => ms ?? []);
  return known.length === 0 ? "n/a" : printSpan(Math.max(...known));
}

/** With what the schedule makes next, and why it did not make the last one. */
export function gameDayList(
  days: readonly GameDay[],
  coming: readonly ScheduledJson[],
  width: number,
): string {
  const head = days.length === 0 ? "there has been no game day here" : table(LIST, days, width);
  const next = coming.map((one) => wrap(`next ${one.job} ${nextText(one)}: ${one.when}`, width));
  return [head, ...next, ...coming.flatMap((one) => skippedLine(one, width))].join("\n");
}

function skippedLine({ job, last }: ScheduledJson, width: number): readonly string[] {
  if (last?.outcome !== "skipped" && last?.outcome !== "failed") return [];
  const ago = printSpan(Math.max(0, Date.now() - last.startedAtMs));
  const words = `! ${job} ${last.outcome} ${ago} ago, on ${last.by}: ${last.why ?? "no reason is known"}`;
  return [pc.yellow(wrap(words, width))];
}

/** The words beside a mark, broken under themselves. */
function hang(mark: string, words: string, width: number): string {
  const room = mark.startsWith("  ") ? 4 : 2;
  return mark + wrap(words, Math.max(20, width - room)).replaceAll("\n", `\n${" ".repeat(room)}`);
}
