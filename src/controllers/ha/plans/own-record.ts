// Which history has this standby come to be on, and does its own record say so? (R19)
//
// The record beside the data follows the server: first a standby is told to stream from a leader, then PostgreSQL
// itself compares the histories and switches, and then the record is written. If the store goes away in between, what
// was told is remembered, so that the record is not left behind for as long as the outage takes.
import { headOf, type Lineage } from "../../../model/timeline.ts";
import type { Upstream } from "../../../ports/postgres.ts";
import type { HaUpkeep } from "../steps.ts";
import type { HaMemory, HaWorld } from "../world.ts";
import { type Source, sqlOf } from "./standing.ts";

/** For the memory: from where the server was told to stream, and whose history it finds there. */
export const told = (upstream: Upstream | undefined, source: Source | undefined) =>
  ({
    told:
      upstream === undefined || source === undefined
        ? undefined
        : { from: `${upstream.host}:${upstream.port}`, lineage: source.lineage },
  }) satisfies Partial<HaMemory>;

/** What we stream from is what we are, once the server has switched to that timeline. */
export function recordUpkeep(w: HaWorld, source: Source | undefined): readonly HaUpkeep[] {
  const streamed = source === undefined ? undefined : streamedFrom(w, source);
  const lineage = streamed ?? reachedAsTold(w);
  return lineage === undefined ? [] : [{ kind: "record-lineage", lineage }];
}

function streamedFrom(w: HaWorld, source: Source): Lineage | undefined {
  const theirs = headOf(source.lineage);
  const mine = headOf(w.server.lineage);
  const sql = sqlOf(w);
  if (theirs === undefined || sql?.walReceiver?.timeline !== theirs.timeline) return undefined;
  const isRecorded = mine?.timeline === theirs.timeline && mine.term === theirs.term;
  return sql.timeline !== theirs.timeline || isRecorded ? undefined : source.lineage;
}

/** The history that the own server is on: the recorded one, or the one that it has come to since and was told of. */
export const ownHistory = (w: HaWorld): Lineage => reachedAsTold(w) ?? w.server.lineage;

/**
 * Without the store, without a leader, or with one that has died before it was written down: the server is on the
 * timeline that it was told to follow, and still pointed there. A record of that very number is never replaced: it may
 * be another history's (R19).
 */
function reachedAsTold(w: HaWorld): Lineage | undefined {
  const lineage = pending(w);
  return sqlOf(w)?.timeline === headOf(lineage ?? [])?.timeline ? lineage : undefined;
}

/** The history that this standby was told to follow, while its record is still of an earlier part of it. */
function pending(w: HaWorld): Lineage | undefined {
  const sql = sqlOf(w);
  const { told: to } = w.memory;
  if (to === undefined || sql?.inRecovery !== true || sql.upstream !== to.from) return undefined;
  const mine = headOf(w.server.lineage);
  const isEarlier = to.lineage
    .slice(0, -1)
    .some((b) => b.timeline === mine?.timeline && b.term === mine.term);
  return isEarlier ? to.lineage : undefined;
}

/** The record is to follow soon: the smaller the gap, the smaller the chance that a break comes in it. */
export const awaitsRecord = (w: HaWorld): boolean => pending(w) !== undefined;
