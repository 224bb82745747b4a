// Commands for replication slots: see them all, drop one by its name.
import type { Command } from "commander";
import { printBytes, printSpan } from "../model/amounts.ts";
import type { StatusSlot } from "../model/wire/status.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { type MemberOverview, overviewOf } from "./overview.ts";
import { change, leaderOf, look, memberNamed } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import { agree, print, printJsonText, width, wrap } from "./terminal.ts";

const DROP_LIMIT_MS = 20_000;

interface SlotRow extends StatusSlot {
  readonly member: string;
  /** On a standby a slot is a copy that waits for its server to lead. */
  readonly leads: boolean;
}

const stateText = ({ active, idleMs, leads, isSafe }: SlotRow): string => {
  if (active) return "read";
  if (!leads) return isSafe === false ? "copy, not safe yet" : "copy";
  return idleMs === undefined ? "idle" : `idle ${printSpan(idleMs)}`;
};

const kindText = ({ kind, plugin, database }: SlotRow): string =>
  kind === "logical" ? `logical ${plugin ?? "?"} in ${database ?? "?"}` : kind;

/** Until it is given up or the disk is full, whichever comes first; a slot that is read lasts. */
const lastsText = ({ active, lostInMs, fullInMs }: SlotRow): string => {
  if (active) return "n/a";
  const first = Math.min(
    lostInMs ?? Number.POSITIVE_INFINITY,
    fullInMs ?? Number.POSITIVE_INFINITY,
  );
  return Number.isFinite(first) ? printSpan(first) : "n/a";
};

const COLUMNS: readonly Column<SlotRow>[] = [
  { title: "MEMBER", cell: ({ member }) => member },
  { title: "SLOT", cell: ({ name }) => name },
  { title: "FOR", cell: ({ use }) => use },
  { title: "STATE", cell: stateText },
  {
    title: "KEEPS",
    cell: ({ retainedBytes }) => (retainedBytes === undefined ? "n/a" : printBytes(retainedBytes)),
    right: true,
  },
  {
    title: "SAFE FOR",
    cell: ({ safeBytes }) => (safeBytes === undefined ? "n/a" : printBytes(safeBytes)),
    right: true,
    leaves: 1,
  },
  { title: "LASTS", cell: lastsText, right: true },
  { title: "WAL", cell: ({ walStatus }) => walStatus ?? "n/a", leaves: 2 },
  { title: "KIND", cell: kindText, leaves: 3 },
];

async function showSlots(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const { scope, asOf, members } = await overviewOf(targetOf(flags));
  const items = members.flatMap(rowsOf);
  const warnings = members.flatMap(({ name, agent }) =>
    agent.answers
      ? [...(agent.node.wal?.warnings ?? []), ...agent.node.slotWarnings].map(
          (warning) => `${name}: ${warning}`,
        )
      : [`${name}: its agent does not answer`],
  );
  if (flags.json === true) {
    printJsonText({ apiVersion: "understudy/v1", kind: "Slots", asOf, scope, warnings, items });
    return;
  }
  print(items.length === 0 ? "there are no slots" : table(COLUMNS, items, width()));
  const idle = items.filter(({ active, leads, dropCost }) => !active && leads && dropCost);
  for (const { name, dropCost } of idle) print(wrap(`dropping ${name}: ${dropCost}`, width()));
  for (const warning of warnings) print(wrap(`! ${warning}`, width()));
}

const rowsOf = ({ name, leads, agent }: MemberOverview): readonly SlotRow[] =>
  agent.answers ? agent.node.slots.map((slot) => ({ ...slot, member: name, leads })) : [];

interface DropFlags extends Shared {
  readonly member?: string;
}

async function dropSlot(name: string, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<DropFlags>();
  const target = targetOf(flags);
  const status = await look(target);
  const member = flags.member === undefined ? leaderOf(status) : memberNamed(status, flags.member);
  await agree(
    `Drop slot ${name} on ${member.name}? Its reader can never go on.`,
    flags.yes === true,
  );
  const url = `${member.apiUrl}/understudy/slots/drop`;
  const body = { name };
  const answer = await change(target, { method: "POST", url, body, timeoutMs: DROP_LIMIT_MS });
  if (answer.body === "") throw new CliFailure(EXIT.unexpected, `${member.name} gave no answer`);
  print(`${member.name}: ${answer.body}`);
}

export function registerSlots(program: Command): void {
  const slots = program
    .command("slots")
    .description(
      "replication slots on every member: what for, read by whom, how much WAL they keep",
    )
    .option("--json", "for programs")
    .action(showSlots);
  slots
    .command("drop")
    .argument("<slot>", "its name")
    .description("drop a slot that no member and no configuration needs")
    .option("--member <member>", "where; on the leader when left out")
    .option("-y, --yes", "do not ask")
    .action(dropSlot);
}
