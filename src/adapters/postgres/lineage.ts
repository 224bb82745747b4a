// Which branches of history lead to this data, and who began each of them (R19)?
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseLsn, printLsn } from "../../model/lsn.ts";
import { lineageOfRemote } from "../../model/site.ts";
import { type Branch, historyFileName, type Lineage, parseHistory } from "../../model/timeline.ts";
import { writeDurably } from "../system/durable-file.ts";
import type { ControlFile } from "./control-data.ts";
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

export const recordPath = (stateDir: string): string => join(stateDir, "lineage.json");

type Control = Pick<ControlFile, "systemId" | "timeline" | "minRecoveryTimeline">;

/**
 * The record of this very data. Without one (it was another agent's until now, or the record is lost) the server's own
 * history file says by which branches it came; none of them has a term, so they are nobody's of ours (R35).
 */
export async function readLineage(
  { dataDir, stateDir }: { readonly dataDir: string; readonly stateDir: string },
  control: Control,
): Promise<LineageRecord> {
  const text = await readFile(recordPath(stateDir), "utf8").catch(isAbsent);
  const record = text === undefined ? undefined : parseLineage(text);
  if (record?.systemId === control.systemId) return record;
  const timeline = Math.max(control.timeline, control.minRecoveryTimeline);
  const path = join(dataDir, "pg_wal", historyFileName(timeline));
  const history = parseHistory((await readFile(path, "latin1").catch(isAbsent)) ?? "");
  const branches = lineageOfRemote({ timeline, history }, []);
  return { systemId: control.systemId, branches, pending: undefined };
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

/** The lineage of data that is seen on `timeline`. */
export const lineageOf = ({ branches, pending }: LineageRecord, timeline: number): Lineage =>
  pending?.timeline === timeline ? [...branches, pending] : branches;

const store = (branch: Branch): StoredBranch => ({ ...branch, forkLsn: printLsn(branch.forkLsn) });

function load(stored: StoredBranch): Branch {
  const forkLsn = parseLsn(stored.forkLsn);
  if (forkLsn === undefined) throw new Error("not a position");
  const { timeline, parent, term } = stored;
  return { timeline, parent, forkLsn, term };
}
