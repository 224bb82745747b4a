// Which branch of history is this data on, and who began each branch?
import { type Lsn, lagBytes, lsn, parseLsn } from "./lsn.ts";

/** One line of PostgreSQL's `.history` file: `timeline` ended where its child began. */
export interface HistoryLine {
  readonly timeline: number;
  readonly endLsn: Lsn;
  readonly reason: string;
}

/**
 * One branch of the cluster's history as we reserve it before a promotion (safety R18) and as each member
 * keeps it beside its data (R19). Two branches with one number but different terms are different histories,
 * whatever PostgreSQL's own tools say of them.
 */
export interface Branch {
  readonly timeline: number;
  /** The timeline this one left, and where; the first timeline has parent 0 and fork 0/0. */
  readonly parent: number;
  readonly forkLsn: Lsn;
  /** Creation revision of the leader key under which this branch was reserved; 0 for the first timeline. */
  readonly term: number;
}

/** Branches from the oldest to the newest; the last one is where the data is now. */
export type Lineage = readonly Branch[];

export const FIRST_BRANCH: Branch = { timeline: 1, parent: 0, forkLsn: lsn(0), term: 0 };

/** The newest branch. A lineage is never empty once data exists. */
export const headOf = (lineage: Lineage): Branch | undefined => lineage.at(-1);

/** The branches that lead to `timeline` in a tree of reservations: the path from the root to it. */
export function pathTo(reserved: Lineage, timeline: number): Lineage {
  const path: Branch[] = [];
  let wanted = timeline;
  while (wanted > 0) {
    const branch = reserved.findLast((b) => b.timeline === wanted);
    if (branch === undefined) break;
    path.unshift(branch);
    if (branch.parent >= wanted) break; // a child has a larger number than its parent, or the record is damaged
    wanted = branch.parent;
  }
  return path;
}

/**
 * Data whose record is not ours knows its branches by number and fork alone (their terms are below zero). Where the
 * store knows a branch of that number that left the same parent at the same place, it is that one.
 */
export function recognised(mine: Lineage, known: Lineage): Lineage {
  if (mine.every(({ term }) => term >= 0)) return mine;
  return mine.map((b) => (b.term >= 0 ? b : (known.find((k) => isSamePlace(b, k)) ?? b)));
}

const isSamePlace = (a: Branch, b: Branch): boolean =>
  a.timeline === b.timeline && a.parent === b.parent && a.forkLsn === b.forkLsn;

/** One number and two histories (R19). */
export const areTwins = (mine: Branch, theirs: Branch): boolean =>
  mine.timeline === theirs.timeline &&
  mine.term !== theirs.term &&
  !(mine.term < 0 && isSamePlace(mine, theirs));

/**
 * The verdict on `mine` as a base to follow `theirs` from position `at` (the end of my WAL):
 * `same`, I am on their branch; `behind`, they left my branch at or after my end, I can follow;
 * `diverged`, I hold WAL that they don't have, or a branch of the same number and another term.
 */
export function compareLineage(
  mine: Lineage,
  at: Lsn,
  theirs: Lineage,
): "same" | "behind" | "diverged" {
  const my = headOf(mine);
  const their = headOf(theirs);
  if (my === undefined || their === undefined) return "diverged";
  if (my.timeline === their.timeline) return my.term === their.term ? "same" : "diverged";
  const shared = theirs.find((b) => b.timeline === my.timeline && b.term === my.term);
  if (shared === undefined) return "diverged";
  const child = theirs[theirs.indexOf(shared) + 1];
  if (child === undefined) return "diverged";
  return lagBytes(at, child.forkLsn) > 0 ? "diverged" : "behind";
}

/** Parses a `.history` file; lines that are not history are skipped, as PostgreSQL does with comments. */
export function parseHistory(text: string): readonly HistoryLine[] {
  const lines: HistoryLine[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)\s*(.*)$/.exec(line);
    const endLsn = match === null ? undefined : parseLsn(match[2] ?? "");
    if (match === null || endLsn === undefined) continue;
    lines.push({ timeline: Number(match[1]), endLsn, reason: match[3] ?? "" });
  }
  return lines;
}

/** PostgreSQL's name of a timeline's history file. */
export const historyFileName = (timeline: number): string =>
  `${timeline.toString(16).toUpperCase().padStart(8, "0")}.history`;
