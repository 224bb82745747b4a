// The command for WAL: how much lies where, who keeps it, how long the disks last, and how archiving does.
import type { Command } from "commander";
import { printBytes, printSpan } from "../model/amounts.ts";
import type { WalReport } from "../model/wal-report.ts";
import { EXIT } from "./exit.ts";
import { overviewOf } from "./overview.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import { print, printJsonText, width, wrap } from "./terminal.ts";

export interface WalRow extends WalReport {
  readonly member: string;
  readonly leads: boolean;
}

async function showWal(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const { scope, asOf, members } = await overviewOf(targetOf(flags));
  const items = members.flatMap(({ name, leads, agent }) =>
    agent.answers && agent.node.wal !== undefined
      ? [{ ...agent.node.wal, member: name, leads }]
      : [],
  );
  const silent = members
    .filter(({ name }) => !items.some(({ member }) => member === name))
    .map(({ name }) => `${name}: nothing is known of its WAL: agent or server do not answer`);
  const warnings = [
    ...items.flatMap((row) => row.warnings.map((words) => `${row.member}: ${words}`)),
    ...silent,
  ];
  if (flags.json === true)
    printJsonText({ apiVersion: "understudy/v1", kind: "WalList", asOf, scope, warnings, items });
  else print(walScreen(items, warnings, width()));
  process.exitCode = warnings.length === 0 ? EXIT.ok : EXIT.degraded;
}

/** A sentence on the leader first, then every member, then what somebody should look at. */
export function walScreen(
  rows: readonly WalRow[],
  warnings: readonly string[],
  columns: number,
): string {
  const leader = rows.find(({ leads }) => leads);
  const lines = leader === undefined ? [] : [wrap(sentenceOn(leader), columns), ""];
  if (rows.length > 0) lines.push(table(COLUMNS, rows, columns));
  for (const warning of warnings) lines.push(wrap(`! ${warning}`, columns));
  return lines.join("\n");
}

function sentenceOn({ member, walPerSecond, fullInMs, archiver }: WalRow): string {
  const rate =
    walPerSecond === undefined ? "an unknown amount" : `${printBytes(walPerSecond)} of WAL`;
  const full =
    fullInMs === undefined
      ? "nothing keeps more and more of it"
      : `its disk is full in ${printSpan(fullInMs)}`;
  const archive =
    archiver.mode === "off" ? "it does not archive" : `archiving: ${archiveText(archiver)}`;
  return `${member} leads and writes ${rate} a second; ${full}; ${archive}`;
}

function archiveText({ mode, isFailing, waiting, lastArchived }: WalRow["archiver"]): string {
  if (mode === "off") return "off";
  if (isFailing) return `fails, ${waiting} wait`;
  if (lastArchived === undefined) return waiting === 0 ? "nothing yet" : `${waiting} wait`;
  const queue = waiting === 0 ? "" : `, ${waiting} wait`;
  return `${printSpan(lastArchived.ageMs)} ago${queue}`;
}

/** Of all slots the one that keeps most counts. */
const keptBy = ({ slots, keepBytes, slotLimitBytes }: WalRow): string => {
  const limit = slotLimitBytes === undefined ? "no limit" : `slots ≤ ${printBytes(slotLimitBytes)}`;
  return `${slots.length} slots, ${keepBytes === 0 ? limit : `${limit}, ${printBytes(keepBytes)} always`}`;
};

const COLUMNS: readonly Column<WalRow>[] = [
  { title: "MEMBER", cell: ({ member }) => member },
  { title: "WAL", cell: ({ files }) => printBytes(files.bytes), right: true },
  { title: "FILES", cell: ({ files }) => String(files.count), right: true, leaves: 2 },
  {
    title: "DISK FREE",
    cell: ({ disk }) =>
      disk === undefined ? "?" : `${printBytes(disk.freeBytes)} of ${printBytes(disk.totalBytes)}`,
    right: true,
  },
  {
    title: "FULL IN",
    cell: ({ fullInMs }) => (fullInMs === undefined ? "never so" : printSpan(fullInMs)),
    right: true,
  },
  { title: "ARCHIVED", cell: ({ archiver }) => archiveText(archiver) },
  { title: "KEPT BY", cell: keptBy, leaves: 1 },
];

export function registerWal(program: Command): void {
  program
    .command("wal")
    .description("WAL on every member: how much, who keeps it, how long the disk lasts, archiving")
    .option("--json", "for programs")
    .action(showWal);
}
