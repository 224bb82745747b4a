// Which branches of history lead to this data, and who began each of them (R19)?
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseLsn, printLsn } from "../../model/lsn.ts";
import type { Branch, Lineage } from "../../model/timeline.ts";
import { writeDurably } from "../system/durable-file.ts";
import { isAbsent } from "./files.ts";

/**
 * `pending` is a branch that a promotion was about to begin. It counts once the data is seen on it: a crash between
 * the promotion and our note of it must not leave a branch without its term.
 */
export interface LineageRecord {
  readonly systemId: string;
  readonly branches: Lineage;
  readonly pending: Branch | undefined;
}

interface StoredBranch {
  readonly timeline: number;
  readonly parent: number;
  readonly forkLsn: string;
  readonly term: number;
}

const recordPath = (stateDir: string): string => join(stateDir, "lineage.json");

/** The record; undefined when there is none that can be read. */
export async function readLineage(stateDir: string): Promise<LineageRecord | undefined> {
  const text = await readFile(recordPath(stateDir), "utf8").catch(isAbsent);
  return text === undefined ? undefined : parseLineage(text);
}

export const writeLineage = (stateDir: string, record: LineageRecord): Promise<void> =>
  writeDurably(recordPath(stateDir), printLineage(record));

export function printLineage({ systemId, branches, pending }: LineageRecord): string {
  const stored = { systemId, branches: branches.map(store), pending: pending && store(pending) };
  return `${JSON.stringify(stored, undefined, 1)}\n`;
}

export function parseLineage(text: string): LineageRecord | undefined {
  try {
    const { systemId, branches, pending } = JSON.parse(text) as {
      systemId: string;
      branches: StoredBranch[];
      pending?: StoredBranch;
    };
    return {
      systemId,
      branches: branches.map(load),
      pending: pending === undefined ? undefined : load(pending),
    };
  } catch {
    return undefined;
  }
}

/** The lineage of data that is seen on `timeline`. A record of another cluster's data is no record. */
export function lineageOf(
  record: LineageRecord | undefined,
  systemId: string,
  timeline: number,
): Lineage {
  if (record === undefined || record.systemId !== systemId) return [];
  const { branches, pending } = record;
  return pending?.timeline === timeline ? [...branches, pending] : branches;
}

const store = (branch: Branch): StoredBranch => ({ ...branch, forkLsn: printLsn(branch.forkLsn) });

function load(stored: StoredBranch): Branch {
  const forkLsn = parseLsn(stored.forkLsn);
  if (forkLsn === undefined) throw new Error("not a position");
  const { timeline, parent, term } = stored;
  return { timeline, parent, forkLsn, term };
}
