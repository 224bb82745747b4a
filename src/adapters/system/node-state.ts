// Our own durable facts, in one JSON file of the state directory.
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AppError } from "../../model/error.ts";
import type { StoreRecord } from "../../model/store-record.ts";
import { instant } from "../../model/time.ts";
import type { NodeState, NodeStateFile } from "../../ports/node-state.ts";
import { asFileError, readIfPresent, writeDurably } from "./durable-file.ts";
import { ensureReserve, releaseReserve } from "./reserve-file.ts";

export const NODE_STATE_NAME = "node.json";
const RESERVE_NAME = "reserve";

const EMPTY: NodeState = {
  leaseId: undefined,
  store: undefined,
  bootstrapping: undefined,
  promisedTerm: undefined,
  config: undefined,
  promise: undefined,
  scheduledRestart: undefined,
};

/** Reads the file; a missing or damaged one counts as knowing nothing, which is always safe. */
export async function openNodeState(stateDir: string): Promise<NodeStateFile> {
  const path = join(stateDir, NODE_STATE_NAME);
  const reserve = join(stateDir, RESERVE_NAME);
  let state = parseNodeState(await readIfPresent(path));
  let last: Promise<void> = Promise.resolve();
  const write = async (change: Partial<NodeState>): Promise<void> => {
    const next = { ...state, ...change };
    await ensureDirectory(dirname(path));
    await withReserve(reserve, () => writeDurably(path, `${JSON.stringify(next, undefined, 2)}\n`));
    state = next;
  };
  return {
    current: () => state,
    update: async (change) => {
      // One after another: two writers would undo each other's merge.
      const mine = last.then(() => write(change));
      last = mine.catch(() => undefined);
      await mine;
    },
  };
}

/** Makes sure of the reserve before it is needed, gives it back when the disk is full, and tries once more (R43). */
async function withReserve(reserve: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
    await ensureReserve(reserve);
  } catch (error) {
    if ((error as AppError).code !== "PG_DISK_FULL") throw error;
    await releaseReserve(reserve);
    await write();
  }
}

export function parseNodeState(text: string | undefined): NodeState {
  if (text === undefined) return EMPTY;
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return EMPTY;
  }
  if (typeof raw !== "object" || raw === null) return EMPTY;
  const { leaseId, bootstrapping, promisedTerm, config } = raw as Partial<
    Record<keyof NodeState, unknown>
  >;
  return {
    leaseId: typeof leaseId === "string" ? leaseId : undefined,
    store: parseStore("store" in raw ? raw.store : undefined),
    bootstrapping: typeof bootstrapping === "boolean" ? bootstrapping : undefined,
    promisedTerm: typeof promisedTerm === "number" ? promisedTerm : undefined,
    config: typeof config === "string" ? config : undefined,
    promise: parsePromise("promise" in raw ? raw.promise : undefined),
    scheduledRestart: parseRestart("scheduledRestart" in raw ? raw.scheduledRestart : undefined),
  };
}

function parseStore(raw: unknown): NodeState["store"] {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { clusterId, revision, ...more } = raw as Record<string, unknown>;
  if (typeof clusterId !== "string" || typeof revision !== "number") return undefined;
  const { systemId, branchTerm, leader, members, succession } = more;
  return {
    clusterId,
    revision,
    systemId: typeof systemId === "string" ? systemId : undefined,
    branchTerm: typeof branchTerm === "number" ? branchTerm : undefined,
    leader: parseLastLeader(leader),
    members: parseMembers(members),
    succession: typeof succession === "string" ? succession : undefined,
  };
}

function parseLastLeader(raw: unknown): StoreRecord["leader"] {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { name, term } = raw as Record<string, unknown>;
  return typeof name === "string" && typeof term === "number" ? { name, term } : undefined;
}

function parseMembers(raw: unknown): StoreRecord["members"] {
  if (typeof raw !== "object" || raw === null) return undefined;
  const rows = Object.entries(raw).filter(([, url]) => typeof url === "string");
  return Object.fromEntries(rows as [string, string][]);
}

function parsePromise(raw: unknown): NodeState["promise"] {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { grantee, term, durationMs, writtenAt, until } = raw as Record<string, unknown>;
  if (typeof grantee !== "string" || typeof term !== "number") return undefined;
  if (typeof durationMs !== "number" || typeof writtenAt !== "number" || typeof until !== "number")
    return undefined;
  return { grantee, term, durationMs, writtenAt: instant(writtenAt), until: instant(until) };
}

function parseRestart(raw: unknown): NodeState["scheduledRestart"] {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { at, atMs, serverStartedAt, onlyPending, ...more } = raw as Record<string, unknown>;
  const { role, belowVersion, timeoutMs } = more;
  if (typeof at !== "string" || typeof atMs !== "number" || typeof serverStartedAt !== "string")
    return undefined;
  return {
    at,
    atMs,
    serverStartedAt,
    onlyPending: onlyPending === true,
    role: typeof role === "string" ? role : undefined,
    belowVersion: typeof belowVersion === "string" ? belowVersion : undefined,
    timeoutMs: typeof timeoutMs === "number" ? timeoutMs : undefined,
  };
}

async function ensureDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw asFileError(error, `creating ${path}`);
  }
}
