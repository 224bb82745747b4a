// The command that says to which moments the cluster can be restored, and where a hole in its WAL is.
import type { Command } from "commander";
import pc from "picocolors";
import { printBytes, printSpan } from "../model/amounts.ts";
import type { ShelfJson } from "../model/wire/vault.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { type MemberOverview, overviewOf, vaultWarningsOf } from "./overview.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import { print, printJsonText, width, wrap } from "./terminal.ts";

interface Archiving {
  readonly member: string;
  readonly bytes: number;
  readonly oldestMs: number | undefined;
  readonly lastArchived: string | undefined;
}

type Interval = ShelfJson["intervals"][number];

const INTERVALS: readonly Column<Interval>[] = [
  { title: "TL", cell: ({ timeline }) => String(timeline), right: true },
  { title: "FROM", cell: ({ from }) => from, right: true },
  { title: "TO", cell: ({ to }) => to, right: true },
];

const ARCHIVING: readonly Column<Archiving>[] = [
  { title: "MEMBER", cell: ({ member }) => member },
  { title: "WAITING", cell: ({ bytes }) => printBytes(bytes), right: true },
  {
    title: "FOR",
    cell: ({ oldestMs }) => (oldestMs === undefined ? "n/a" : printSpan(oldestMs)),
    right: true,
  },
  { title: "LAST ARCHIVED", cell: ({ lastArchived }) => lastArchived ?? "none yet", leaves: 1 },
];

async function showCoverage(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const { scope, asOf, members } = await overviewOf(targetOf(flags));
  const repositories = newestLooks(members);
  const archiving = members.flatMap(archivingOf);
  if (archiving.length === 0)
    throw new CliFailure(
      EXIT.precondition,
      `no member of ${scope} has backups configured`,
      "none of their files has a backup section",
      "name a repository there and restart the agents",
    );
  const warnings = vaultWarningsOf(members);
  if (flags.json === true) {
    const more = { warnings, archiving };
    printJsonText({
      apiVersion: "understudy/v1",
      kind: "Coverage",
      asOf,
      scope,
      ...more,
      items: repositories,
    });
  } else {
    for (const shelf of repositories) showShelf(shelf);
    print(table(ARCHIVING, archiving, width()));
    for (const warning of warnings) print(pc.yellow(wrap(`! ${warning}`, width())));
  }
  if (warnings.length > 0) process.exitCode = EXIT.degraded;
}

function showShelf(shelf: ShelfJson): void {
  print(wrap(sentenceOn(shelf), width()));
  if (shelf.intervals.length > 0) print(table(INTERVALS, shelf.intervals, width()));
  print("");
}

export function sentenceOn(shelf: ShelfJson): string {
  const { name, ageMs, reach, timeline, gaps } = shelf;
  if (ageMs === undefined) return `${name}: not looked at yet`;
  const seen = `looked at ${printSpan(ageMs)} ago`;
  if (timeline === undefined || reach === undefined) return `${name}: holds no WAL yet, ${seen}`;
  const wal =
    gaps.length === 0
      ? `WAL without a hole up to ${reach} on timeline ${timeline}`
      : `WAL with ${gaps.length === 1 ? "a hole" : `${gaps.length} holes`}, unbroken only up to ${reach}`;
  return `${name}: ${wal}; ${momentsOf(shelf)}; ${seen}`;
}

function momentsOf({ intervals, base }: ShelfJson): string {
  if (intervals.length > 0) return "these moments can be restored";
  return base === undefined || base.backups === 0
    ? "no base backup yet, so nothing can be restored"
    : "a base backup can be restored as it is, and no moment behind it yet";
}

/** Of each repository the look of the member that looked last. */
function newestLooks(members: readonly MemberOverview[]): readonly ShelfJson[] {
  const newest = new Map<string, ShelfJson>();
  const age = ({ ageMs }: ShelfJson): number => ageMs ?? Number.POSITIVE_INFINITY;
  for (const { agent } of members) {
    for (const shelf of agent.answers ? (agent.node.vault?.repositories ?? []) : []) {
      const known = newest.get(shelf.name);
      if (known === undefined || age(shelf) < age(known)) newest.set(shelf.name, shelf);
    }
  }
  return [...newest.values()];
}

function archivingOf({ name, agent }: MemberOverview): readonly Archiving[] {
  const vault = agent.answers ? agent.node.vault : undefined;
  if (vault === undefined) return [];
  const { waiting, lastArchived } = vault;
  return [{ member: name, bytes: waiting.bytes, oldestMs: waiting.oldestMs, lastArchived }];
}

export function registerCoverage(backup: Command): void {
  backup
    .command("coverage")
    .description("which moments can be restored from each repository, and where WAL is missing")
    .option("--json", "for programs")
    .action(showCoverage);
}
