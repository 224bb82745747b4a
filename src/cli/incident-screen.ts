// How does an incident look on a terminal? The verdict first, then why, then what was done, then each moment.
import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";
import { type Check, type Incident, isOnPurpose, type Phase } from "../incident/incident.ts";
import {
  acknowledgedText,
  downtimeText,
  momentText,
  offsetText,
  phaseText,
} from "../incident/told.ts";
import { printSpan } from "../model/amounts.ts";
import { type Column, table } from "./table.ts";
import { wrap } from "./terminal.ts";

export type Listed = Omit<Incident, "lines">;

const LIST: readonly Column<Listed>[] = [
  { title: "INCIDENT", cell: ({ id }) => id },
  { title: "WHAT", cell: ({ title }) => title },
  { title: "NO WRITES", cell: awayText, right: true, leaves: 2 },
  { title: "CAUSE", cell: ({ cause }) => cause.code },
  { title: "STATE", cell: stateText, leaves: 1 },
];

function awayText({ kind, startedAt, writableAt }: Listed): string {
  if (kind === "standby-crash" || kind === "store-outage") return "n/a";
  return writableAt === undefined ? "still" : printSpan(writableAt - startedAt);
}

function stateText(incident: Listed): string {
  const { endedAt, acknowledged } = incident;
  if (endedAt === undefined) return "goes on";
  if (acknowledged !== undefined) return `seen by ${acknowledged.by}`;
  return isOnPurpose(incident) ? "planned" : "not acknowledged";
}

export const incidentList = (incidents: readonly Listed[], width: number): string =>
  incidents.length === 0
    ? "there has been no incident since these nodes keep events"
    : table(LIST, incidents, width);

const MARKS: Readonly<Record<Check["state"], string>> = {
  done: pc.green("✔"),
  open: pc.yellow("…"),
  failed: pc.red("✘"),
  "n/a": pc.dim("-"),
};

/** `isWhole` adds every moment of the story. */
export function incidentScreen(incident: Incident, width: number, isWhole: boolean): string {
  const { id, title, startedAt, cause, loss, phases, candidates } = incident;
  const facts: readonly (readonly [string, string])[] = [
    ["began", momentText(startedAt)],
    ["no writes", downtimeText(incident)],
    ["cause", `${cause.sentence} (${cause.confidence})`],
    ...(loss === undefined ? [] : [["data lost", loss.sentence] as const]),
    ["state", acknowledgedText(incident)],
  ];
  const label = 11;
  return [
    pc.bold(wrap(`${id} ${title}`, width)),
    ...facts.map(([name, words]) => hang(pc.dim(name.padEnd(label)), words, width)),
    ...part("why", cause.evidence, width),
    ...(phases.length === 0 ? [] : ["", table(phaseColumns(startedAt), phases, width)]),
    ...checklistPart(incident, width),
    ...part("candidates", candidates, width),
    ...part("still to do", incident.followUps, width),
    ...part("to be known when reading", incident.caveats, width),
    ...(isWhole ? storyPart(incident, width) : []),
  ].join("\n");
}

const phaseColumns = (begin: number): readonly Column<Phase>[] => [
  { title: "PHASE", cell: ({ name }) => name },
  { title: "BEGAN", cell: ({ from }) => offsetText(from, begin), right: true },
  { title: "TOOK", cell: phaseText, right: true },
  { title: "WHAT", cell: ({ what }) => what, leaves: 1 },
];

const checklistPart = ({ checklist, startedAt }: Incident, width: number): readonly string[] =>
  checklist.length === 0
    ? []
    : [
        "",
        ...checklist.map(({ what, state, at, how }) => {
          const when = at === undefined ? "" : ` ${offsetText(at, startedAt)}`;
          return hang(`${MARKS[state]} `, `${what}${when}: ${how}`, width);
        }),
      ];

const part = (title: string, lines: readonly string[], width: number): readonly string[] =>
  lines.length === 0 ? [] : ["", pc.dim(title), ...lines.map((line) => hang("  ", line, width))];

const storyPart = ({ lines, startedAt }: Incident, width: number): readonly string[] => [
  "",
  pc.dim("what happened"),
  ...lines.map(({ at, node, lane, text }) =>
    hang(`${offsetText(at, startedAt).padStart(11)} ${node} `, `[${lane}] ${text}`, width),
  ),
];

/** The words beside a label, broken under themselves; colours take no room. */
function hang(label: string, words: string, width: number): string {
  const room = stripVTControlCharacters(label).length;
  return label + wrap(words, Math.max(20, width - room)).replaceAll("\n", `\n${" ".repeat(room)}`);
}
