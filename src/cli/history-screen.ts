// Which timelines have ended, who led the next, and why that one?

import type { HistoryRow } from "../model/cluster.ts";
import { printLsn } from "../model/lsn.ts";
import { type Column, table } from "./table.ts";

/** What every PostgreSQL says of every promotion, and so says nothing. */
const SAYS_NOTHING = "no recovery target specified";
/** Older failovers are in `--json`. */
const MOST_TOLD = 3;

const COLUMNS: readonly Column<HistoryRow>[] = [
  { title: "TL", cell: ({ timeline }) => String(timeline), right: true },
  { title: "ENDED AT", cell: ({ lsn }) => printLsn(lsn) },
  { title: "WHEN", cell: ({ at }) => shortMoment(at ?? "?") },
  { title: "NEXT LEADER", cell: ({ newLeader }) => newLeader ?? "?" },
];

/** The table, and below it what was said for and against each member when the latest leaders were chosen. */
export function historyScreen(rows: readonly HistoryRow[], width: number): string {
  if (rows.length === 0) return "no timeline has ended yet: the first primary still leads";
  const told = rows.filter(({ reason }) => reason !== SAYS_NOTHING && reason !== "");
  return [table(COLUMNS, rows, width), ...told.slice(-MOST_TOLD).map(why)].join("\n\n");
}

const why = ({ timeline, newLeader, reason }: HistoryRow): string =>
  [
    `why ${newLeader ?? "?"} after timeline ${timeline}`,
    ...reason.split("; ").map((part) => `  ${part}`),
  ].join("\n");

/** `2026-11-23T03:06:07.179+00:00` without what nobody reads on a screen. */
const shortMoment = (at: string): string =>
  at.replace(/^(\S+)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:\+00:00|Z)$/, "$1 $2 UTC");
