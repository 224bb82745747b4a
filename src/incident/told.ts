// How is an incident told to people? The same words on a terminal and in a document.
import { printSpan } from "../model/amounts.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import type { Incident, Line, Phase } from "./incident.ts";

/** `2026-11-05 13:07:09.250 UTC`. */
export const momentText = (at: number): string =>
  `${printRfc3339(at).replace("T", " ").slice(0, 23)} UTC`;

/** `+0.981 s` behind the beginning, to the millisecond. */
export const offsetText = (at: number, begin: number): string => {
  const ms = Math.round(at - begin);
  return `${ms < 0 ? "-" : "+"}${(Math.abs(ms) / 1000).toFixed(3)} s`;
};

export const phaseText = ({ from, to }: Phase): string =>
  to === undefined ? "not seen yet" : `${(Math.max(0, to - from) / 1000).toFixed(3)} s`;

export const downtimeText = ({ kind, startedAt, writableAt }: Incident): string => {
  if (kind === "standby-crash") return "none: the primary went on";
  if (writableAt === undefined) return "writes have not returned yet";
  if (kind === "store-outage") return `over after ${printSpan(writableAt - startedAt)}`;
  return printSpan(writableAt - startedAt);
};

export const acknowledgedText = ({ acknowledged }: Incident): string => {
  if (acknowledged === undefined) return "nobody has acknowledged it yet";
  const { by, note, at } = acknowledged;
  return `acknowledged by ${by}, ${momentText(at)}${note === undefined ? "" : `: ${note}`}`;
};

const LANES = ["store", "old primary", "new primary", "standbys", "routers"] as const;

/** A document that can be kept with others of its kind. */
export function markdownOf(incident: Incident): string {
  const { id, title, startedAt, cause, loss, candidates, phases, checklist } = incident;
  const list = (lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? ["- none"] : lines.map((line) => `- ${line}`);
  return [
    `# ${id} ${title}`,
    "",
    `- began ${momentText(startedAt)}`,
    `- without a writable primary: ${downtimeText(incident)}`,
    `- cause: ${cause.sentence} (${cause.code}, ${cause.confidence})`,
    ...(loss === undefined ? [] : [`- data lost: ${loss.sentence}`]),
    `- ${acknowledgedText(incident)}`,
    ...section("Phases", [
      "| phase | began | took | what |",
      "|---|---|---|---|",
      ...phases.map(
        (phase) =>
          `| ${phase.name} | ${offsetText(phase.from, startedAt)} | ${phaseText(phase)} | ${phase.what} |`,
      ),
    ]),
    ...section("Checklist", [
      "| step | state | how it is known |",
      "|---|---|---|",
      ...checklist.map(({ what, state, how }) => `| ${what} | ${state} | ${cell(how)} |`),
    ]),
    ...section("Candidates", list(candidates)),
    ...section("Evidence", list(cause.evidence)),
    ...section("Still to do", list(incident.followUps)),
    ...section("To be known when reading", list(incident.caveats)),
    ...LANES.flatMap((lane) =>
      section(
        `What happened: ${lane}`,
        list(
          incident.lines.filter((line) => line.lane === lane).map((l) => lineText(l, startedAt)),
        ),
      ),
    ),
    "",
  ].join("\n");
}

const section = (title: string, lines: readonly string[]): readonly string[] => [
  "",
  `## ${title}`,
  "",
  ...lines,
];

const cell = (words: string): string => words.replaceAll("|", "\\|");

export const lineText = ({ at, node, text }: Line, begin: number): string =>
  `${offsetText(at, begin)} ${node}: ${text}`;
