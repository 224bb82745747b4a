// What is kept true all the time, whatever else happens? Differences only: a steady cluster writes nothing.
import type { ClusterSnapshot, HistoryRow } from "../../../model/cluster.ts";
import type { Lease } from "../../../model/lease.ts";
import { isPausedAt } from "../../../model/pause.ts";
import { isSame } from "../../../model/same.ts";
import { type Branch, headOf } from "../../../model/timeline.ts";
import { resumed } from "../../../model/wire/config-pause.ts";
import { printJson } from "../../../model/wire/json.ts";
import { printRfc3339 } from "../../../model/wire/rfc3339.ts";
import type { HaUpkeep } from "../steps.ts";
import type { HaWorld } from "../world.ts";
import { recordUpkeep } from "./own-record.ts";
import { mayBePromoting } from "./promotion.ts";
import { rosterUpkeep } from "./roster.ts";
import { followsSite, remoteSource, siteBranches, siteHistory } from "./site.ts";
import { publishedSlots, slotUpkeep } from "./slots.ts";
import { clusterOf, isStandby, type Source, sqlOf } from "./standing.ts";
import { syncNamesUpkeep } from "./sync-keeping.ts";

/** A primary's: slots, settings, status, history, a finished intent. */
export function leaderUpkeep(w: HaWorld, term: number): readonly HaUpkeep[] {
  const c = clusterOf(w);
  if (c === undefined) return [];
  return [
    ...settings(w),
    ...exactFork(w, c, term),
    ...holderUpkeep(w, c, term, history(w, c, term)),
  ];
}

/** A standby leader's: what a leader publishes, and what a standby keeps about whom it follows. */
export function siteUpkeep(w: HaWorld, { term }: Lease): readonly HaUpkeep[] {
  const c = clusterOf(w);
  if (c === undefined) return [];
  return [
    ...disarm(w),
    ...settings(w),
    ...syncNamesUpkeep(w),
    ...recordUpkeep(w, remoteSource(w, term)),
    ...siteBranches(w, c, term),
    ...holderUpkeep(w, c, term, siteHistory(w, c, term)),
  ];
}

/** What goes with the lease, whatever kind of leader holds it. */
const holderUpkeep = (
  w: HaWorld,
  c: ClusterSnapshot,
  term: number,
  rows: readonly HaUpkeep[],
): readonly HaUpkeep[] => [
  ...slotUpkeep(w, c),
  ...status(w, c, term),
  ...rows,
  ...rosterUpkeep(w, c, term),
  ...finishedIntent(w, c),
  ...lostConfig(w, c),
  ...endedPause(w, c),
];

/** A standby's: the record of the branches it follows, slots for a life after a promotion (R42). */
export function standbyUpkeep(w: HaWorld, source: Source | undefined): readonly HaUpkeep[] {
  const c = clusterOf(w);
  if (c === undefined) return [];
  return [
    ...disarm(w),
    ...settings(w),
    ...syncNamesUpkeep(w),
    ...recordUpkeep(w, source),
    ...slotUpkeep(w, c),
  ];
}

/**
 * A deadline left over from an earlier term, or from before this cluster followed another site, would end a healthy
 * standby. It is never lifted off anything else, nor off a standby that may yet open for writes by a promotion of that
 * term.
 */
function disarm(w: HaWorld): readonly HaUpkeep[] {
  const { armed } = w.fence;
  const isLeading = w.lease.held !== undefined && !followsSite(w);
  if (armed === undefined || isLeading || !isStandby(w)) return [];
  return mayBePromoting(w, armed.term) ? [] : [{ kind: "disarm" }];
}

const settings = (w: HaWorld): readonly HaUpkeep[] =>
  w.server.settingsStale || w.requests.reload !== undefined
    ? [{ kind: "apply-settings", plan: w.plan }]
    : [];

/** The WAL end for the lag rule, the slots' positions and the absences for the standbys, when they have moved. */
function status(w: HaWorld, c: ClusterSnapshot, term: number): readonly HaUpkeep[] {
  const sql = sqlOf(w);
  if (sql === undefined) return [];
  const { slots, absentMs } = publishedSlots(w, c, sql);
  const old = c.status.value;
  const news = { position: sql.position, slots, absentMs };
  return isSame(old, news) ? [] : [{ kind: "write-status", term, status: news }];
}

/**
 * The server's own history names the exact fork of the branch that it began; the reservation had only the end of the
 * received WAL, which may lie within a record.
 */
function exactFork(w: HaWorld, c: ClusterSnapshot, term: number): readonly HaUpkeep[] {
  const head = headOf(w.server.lineage);
  if (head === undefined) return [];
  const isMine = (b: Branch) => b.timeline === head.timeline && b.term === head.term;
  const reserved = c.lineage.value.find(isMine);
  if (reserved === undefined || reserved.forkLsn === head.forkLsn) return [];
  const branches = c.lineage.value.map((b) => (isMine(b) ? head : b));
  return [{ kind: "record-fork", term, branches, revision: c.lineage.modRevision }];
}

/** One row for the branch that this primary began, in the field's form. */
function history(w: HaWorld, c: ClusterSnapshot, term: number): readonly HaUpkeep[] {
  const head = headOf(w.server.lineage);
  if (head === undefined || head.parent === 0) return [];
  const rows = c.history.value;
  if ((rows.at(-1)?.timeline ?? 0) >= head.parent) return [];
  const row: HistoryRow = {
    timeline: head.parent,
    lsn: head.forkLsn,
    reason: w.memory.chosen ?? "no recovery target specified",
    at: printRfc3339(w.wallMs),
    newLeader: w.self.name,
  };
  const most = w.config.maxTimelinesHistory;
  const all = [...rows, row];
  return [{ kind: "write-history", term, rows: most > 0 ? all.slice(-most) : all }];
}

/** The intent has come true (somebody else was to give up, or I was to take over): it is cleared by the new leader. */
function finishedIntent(w: HaWorld, c: ClusterSnapshot): readonly HaUpkeep[] {
  const intent = c.failover.value;
  if (intent === undefined) return [];
  const done =
    intent.candidate === w.self.name ||
    (intent.leader !== undefined && intent.leader !== w.self.name);
  const scheduled = intent.scheduledAtMs !== undefined && intent.scheduledAtMs > w.wallMs;
  return done && !(scheduled && intent.candidate !== w.self.name)
    ? [{ kind: "clear-failover", revision: c.failover.modRevision }]
    : [];
}

/** Somebody has deleted the key, as `etcdctl` does: nobody's word has changed, so it is said again. */
function lostConfig(w: HaWorld, { config }: ClusterSnapshot): readonly HaUpkeep[] {
  const { raw } = w.config;
  if (config.value !== undefined || config.modRevision !== 0) return [];
  if (Object.keys(raw).length === 0) return [];
  return [{ kind: "restore-config", json: printJson(raw), revision: 0 }];
}

/** The person who paused said until when: once that has come, the word is taken back for Patroni's tools as well. */
function endedPause(w: HaWorld, { config }: ClusterSnapshot): readonly HaUpkeep[] {
  const stored = config.value;
  if (stored === undefined || !stored.paused || isPausedAt(stored, w.wallMs)) return [];
  const json = printJson(resumed(stored.raw));
  return [{ kind: "end-pause", json, revision: config.modRevision }];
}
