// A primary's part in synchronous replication: what to do next about names and sync state, in the rung's words.
import { isSynchronous } from "../../../model/config.ts";
import type { Lease } from "../../../model/lease.ts";
import type { Lsn } from "../../../model/lsn.ts";
import { printSyncNames, type SyncNames, type SyncState } from "../../../model/sync.ts";
import { after, type Instant } from "../../../model/time.ts";
import type { Verdict } from "../rungs/rung.ts";
import type { HaChange, HaUpkeep } from "../steps.ts";
import type { HaWorld } from "../world.ts";
import { clusterOf, sqlOf } from "./standing.ts";
import { nextSyncMove, type SyncMove } from "./sync.ts";
import { choosable, wantedNames } from "./sync-choice.ts";

const LOOK_AGAIN_MS = 100;
const PROVE_AGAIN_MS = 300;
const CLOSED: SyncNames = { kind: "closed" };

/** What synchronous replication asks of the primary now; undefined when everything is as wanted. */
export function keepSync(w: HaWorld, lease: Lease): Verdict | undefined {
  const c = clusterOf(w);
  if (c === undefined || sqlOf(w) === undefined) return undefined;
  const { value: state, modRevision: revision } = c.sync;
  if (!isSynchronous(w.config)) return leaveSync(w, lease);
  const fit = choosable(w);
  const syncAloneSince = fit.length > 0 ? undefined : (w.memory.syncAloneSince ?? w.now);
  const remember = { syncAloneSince };
  const wanted = wantedNames(w, fit);
  const base = { vouch: true, remember };
  // Only its own state is put in order while it waits for a standby to come (back).
  if (wanted === undefined && state?.leader === w.self.name) return { ...base, ...waiting(w) };
  const move = nextSyncMove({
    me: w.self.name,
    state,
    names: w.server.syncNames,
    isShown: isShown(w),
    provenEnd: provenEnd(w),
    flushed: flushed(w),
    wanted: wanted ?? w.server.syncNames,
  });
  if (move === undefined) {
    return wanted?.kind === "closed" ? { ...base, ...waiting(w) } : undefined;
  }
  if (move.kind === "prove" && w.now < proveAgainAt(w)) {
    const detail = "not every process of the server has heard of it";
    return { ...base, because: "sync_changing", detail, wakeAt: proveAgainAt(w) };
  }
  return { ...base, ...words(move, { lease, revision }) };
}

/** A step voids the word that keeps the lease alive: one after another they would starve its renewal (R38). */
function proveAgainAt(w: HaWorld): Instant {
  const last = w.outcomes["prove-gate"];
  return last === undefined ? w.now : after(last.at, PROVE_AGAIN_MS);
}

function words(
  move: SyncMove,
  { lease, revision }: { readonly lease: Lease; readonly revision: number },
): Pick<Verdict, "because" | "detail" | "step" | "wakeAt"> {
  const term = lease.term;
  const step = (detail: string, change: HaChange) =>
    ({ because: "sync_changing", detail, step: change }) as const;
  switch (move.kind) {
    case "publish":
      return step(`may be elected: ${votersText(move.state)}`, {
        kind: "write-sync",
        term,
        state: move.state,
        revision,
      });
    case "set-names":
      return step(namesText(move.names), { kind: "set-sync-names", names: move.names });
    case "prove":
      return step("seeing that no commit is acknowledged", { kind: "prove-gate" });
    case "wait":
      return {
        because: "sync_catching_up",
        detail: move.missing.join(", "),
      };
    default:
      return move satisfies never;
  }
}

const votersText = ({ leader, standbys, quorum }: SyncState): string =>
  `${[leader, ...standbys].join(", ")}${quorum > 0 ? ` with ${quorum} more votes` : ""}`;

const namesText = (names: SyncNames): string =>
  names.kind === "closed"
    ? "commits are held while the names change"
    : `commits wait for ${printSyncNames(names) || "nobody"}`;

/** With the gate closed and nobody to open it for; or with a name that has gone and may come back. */
function waiting(w: HaWorld): Pick<Verdict, "because" | "detail" | "wakeAt"> {
  const { synchronousModeStrict } = w.config;
  const detail = synchronousModeStrict ? "strict: for as long as it takes" : "for a moment";
  return { because: "sync_waiting", detail, wakeAt: after(w.now, LOOK_AGAIN_MS) };
}

/** The mode is off: the election is free again before the names go, and then the user's own setting holds. */
function leaveSync(w: HaWorld, lease: Lease): Verdict | undefined {
  const sync = clusterOf(w)?.sync;
  if (sync !== undefined && sync.modRevision !== 0) {
    return {
      because: "sync_changing",
      detail: "the mode is off: anybody may be elected",
      step: {
        kind: "write-sync",
        term: lease.term,
        state: undefined,
        revision: sync.modRevision,
      },
      vouch: true,
    };
  }
  if (w.server.syncNames.kind === "unmanaged") return undefined;
  return {
    because: "sync_changing",
    detail: "the mode is off: commits wait for nobody",
    step: { kind: "set-sync-names", names: { kind: "unmanaged" } },
    vouch: true,
  };
}

/** Whether the running server has the names that were written last. */
export function isShown(w: HaWorld): boolean {
  const written = printSyncNames(w.server.syncNames);
  const sql = sqlOf(w);
  return written === undefined || sql === undefined || sql.syncNames === written;
}

function provenEnd(w: HaWorld): Lsn | undefined {
  const { gate } = w.memory;
  return gate !== undefined && gate.run === sqlOf(w)?.sharedSinceText ? gate.end : undefined;
}

const flushed = (w: HaWorld): Readonly<Record<string, Lsn>> =>
  Object.fromEntries(
    (sqlOf(w)?.senders ?? []).flatMap((s) =>
      s.flushLsn === undefined || s.state !== "streaming" ? [] : [[s.name, s.flushLsn]],
    ),
  );

/** Synchronous now or until a moment ago: the store's key outlives the switch that turned the mode off. */
export const isSyncCluster = (w: HaWorld): boolean =>
  isSynchronous(w.config) || clusterOf(w)?.sync.value !== undefined;

/**
 * Before a server may acknowledge writes its gate is closed: whoever opens it first puts itself into the store (R20).
 * Undefined when that is done, or when commits wait for nobody anyway.
 */
export function closeGate(w: HaWorld): Extract<HaChange, { kind: "set-sync-names" }> | undefined {
  if (!isSyncCluster(w)) return undefined;
  const isClosed = w.server.syncNames.kind === "closed" && isShown(w);
  return isClosed ? undefined : { kind: "set-sync-names", names: CLOSED };
}

/** A standby keeps the gate closed in advance, so that its promotion does not wait for it. */
export function syncNamesUpkeep(w: HaWorld): readonly HaUpkeep[] {
  if (sqlOf(w)?.inRecovery !== true) return [];
  const close = closeGate(w);
  if (close !== undefined) return [close];
  const isLeftOver = !isSyncCluster(w) && w.server.syncNames.kind !== "unmanaged";
  return isLeftOver ? [{ kind: "set-sync-names", names: { kind: "unmanaged" } }] : [];
}
