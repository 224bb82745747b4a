// Synchronous replication inside one simulated server: who waits, and who lets them go.
//
// Every process has its own copy of `synchronous_standby_names`, read at its own moment after a reload: the
// checkpointer, whose flag makes commits wait at all; each walsender, which releases the waiting by its copy alone.
// Whoever models one copy for all models a server that cannot lose what the real one can.
import type { SyncNames } from "../model/sync.ts";
import type { Dice } from "./dice.ts";
import type { Run, Sender, SyncWait } from "./run.ts";

/** A process usually hears a reload within milliseconds; a checkpointer in the midst of a long fsync does not. */
const HEARS_WITHIN_MS = 30;
const SLOW_SHARE = 0.1;
const SLOW_WITHIN_MS = 2_500;

/** wal_receiver_status_interval: a standby repeats its word although there is nothing new. */
const STATUS_EVERY_MS = 1_000;

/** What of a server this file needs: its file, its dice, its time. */
interface Reloading {
  readonly data: { readonly syncNames: SyncNames } | undefined;
  readonly parts: { readonly dice: Dice };
  during(run: Run, ms: number, effect: () => void): void;
}

const defines = (names: SyncNames): boolean =>
  names.kind !== "nobody" && names.kind !== "unmanaged";

/** Where `name` stands in a list: 0 when it does not. */
export function priorityOf(names: SyncNames, name: string): number {
  return names.kind === "first" || names.kind === "any" ? names.members.indexOf(name) + 1 : 0;
}

/** The server has started with what its file says: every process begins with it. */
export function beginSyncRep(run: Run, names: SyncNames): void {
  run.syncNames = names;
  run.makesWait = defines(names);
}

/** SIGHUP: each process reads the file at a moment of its own. */
export function reloadSyncNames(server: Reloading, run: Run): void {
  const names = server.data?.syncNames;
  if (names === undefined) return;
  const { dice } = server.parts;
  const later = (): number =>
    dice.chance(SLOW_SHARE) ? dice.between(0, SLOW_WITHIN_MS) : dice.between(0, HEARS_WITHIN_MS);
  run.syncNames = names;
  const hears = (effect: () => void): void => server.during(run, later(), effect);
  hears(() => {
    run.makesWait = defines(run.syncNames);
    if (!run.makesWait) releaseUpTo(run, Number.POSITIVE_INFINITY);
  });
  for (const sender of run.senders.values()) {
    hears(() => {
      sender.syncNames = run.syncNames;
      server.during(run, STATUS_EVERY_MS, () => {
        if (run.senders.get(sender.to) === sender) heardFrom(run, sender);
      });
    });
  }
}

/** A client's commit is durable: it is answered now, or when the standbys allow it. */
export function commitWaits(run: Run, wait: SyncWait): void {
  if (run.makesWait) run.syncWaits.push(wait);
  else wait.answer();
}

/** Somebody cancels the backends that wait: each answers, with a warning, and its row stays. */
export function cancelWaits(run: Run): void {
  const cancelled = run.syncWaits;
  run.syncWaits = [];
  for (const wait of cancelled) wait.warn();
}

/** A standby's word has reached its walsender, which judges by its own names. */
export function heardFrom(run: Run, sender: Sender): void {
  const names = sender.syncNames;
  if (names.kind !== "first" && names.kind !== "any") return;
  if (priorityOf(names, sender.to) === 0) return;
  const candidates = [...run.senders.values()]
    .map((s) => ({ priority: priorityOf(s.syncNames, s.to), at: s.reported() }))
    .filter(({ priority }) => priority > 0);
  if (candidates.length < names.count) return;
  if (names.kind === "first") {
    const first = candidates.toSorted((a, b) => a.priority - b.priority).slice(0, names.count);
    releaseUpTo(run, Math.min(...first.map(({ at }) => at)));
    return;
  }
  const furthestFirst = candidates.map(({ at }) => at).toSorted((a, b) => b - a);
  releaseUpTo(run, furthestFirst[names.count - 1] ?? 0);
}

function releaseUpTo(run: Run, lsn: number): void {
  const released = run.syncWaits.filter((wait) => wait.lsn <= lsn);
  if (released.length === 0) return;
  run.syncWaits = run.syncWaits.filter((wait) => wait.lsn > lsn);
  for (const wait of released) wait.answer();
}

/** R20 as an adapter can see it: our own commit would wait, and no walsender goes by older names. */
export function isGateClosed(run: Run): boolean {
  const isIdle = [...run.senders.values()].every((s) => priorityOf(s.syncNames, s.to) === 0);
  return run.syncNames.kind === "closed" && run.makesWait && isIdle;
}
