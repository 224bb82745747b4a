// How does a configured logical slot outlive its primary? Standbys keep copies of it, and only a safe one is ever offered.
//
// A copy is the slot's file from the leader's disk, put in place while the standby is down. From then on the standby
// tells the leader which catalog rows the copy needs (hot_standby_feedback), and moves it to where the reader is.
import type { ClusterSnapshot } from "../../../model/cluster.ts";
import type { SlotState, SqlState } from "../../../model/server.ts";
import { type PermanentSlot, slotNameOf } from "../../../model/slot.ts";
import { between, type Ms } from "../../../model/time.ts";
import type { CatalogHorizons, SlotMove } from "../../../ports/postgres.ts";
import type { Outcome } from "../../controller.ts";
import type { HaUpkeep } from "../steps.ts";
import type { HaMemory, HaWorld, SlotCopyFacts } from "../world.ts";
import { readyLeader, type Source, sqlOf, upstreamOf } from "./standing.ts";

const CREATE_RETRY_MS: Ms = 10_000;
/** A copy costs a restart of the standby: a failed one is not repeated soon. */
const COPY_RETRY_MS: Ms = 60_000;
const ADVANCE_RETRY_MS: Ms = 10_000;

/** The logical slots that are configured for a cluster with a primary of its own. */
export const logicalSlots = (w: HaWorld): readonly PermanentSlot[] =>
  w.config.permanentSlots.filter(
    ({ logical, only }) => logical !== undefined && only !== "standby",
  );

const slotOf = (sql: SqlState, name: string): SlotState | undefined =>
  sql.slots.find((slot) => slot.name === name);

/** On a primary: configured, known to have existed, and not here. Made anew it would hide a gap from its reader. */
export function lostSlots(w: HaWorld, c: ClusterSnapshot): readonly string[] {
  const sql = sqlOf(w);
  if (sql === undefined || sql.inRecovery) return [];
  return logicalSlots(w)
    .map(({ name }) => name)
    .filter((name) => slotOf(sql, name) === undefined)
    .filter((name) => c.status.value.slots[name] !== undefined);
}

/** Slots that never existed are made where writes happen; a failed attempt is not repeated at every look. */
export function madeSlots(w: HaWorld, c: ClusterSnapshot, sql: SqlState): readonly HaUpkeep[] {
  if (
    sql.inRecovery ||
    sql.walLevel !== "logical" ||
    isRecent(w, "create-logical-slots", CREATE_RETRY_MS)
  )
    return [];
  const missing = logicalSlots(w).filter(
    ({ name }) => slotOf(sql, name) === undefined && c.status.value.slots[name] === undefined,
  );
  return missing.length === 0 ? [] : [{ kind: "create-logical-slots", slots: missing }];
}

/** A failure of this kind of step lies less than `ms` back. */
function isRecent(w: HaWorld, kind: HaUpkeep["kind"] | "copy-slots", ms: Ms): boolean {
  const last = w.outcomes[kind];
  return last !== undefined && !last.ok && between(last.at, w.now) < ms;
}

/** Names of slots that the leader has and this standby lacks, or has a useless copy of. */
export function copiesDue(w: HaWorld, c: ClusterSnapshot): readonly string[] {
  const sql = sqlOf(w);
  if (sql?.inRecovery !== true || sql.walLevel !== "logical" || w.self.tags.nofailover) return [];
  if (w.config.paused || isRecent(w, "copy-slots", COPY_RETRY_MS)) return [];
  return logicalSlots(w)
    .map(({ name }) => name)
    .filter((name) => c.status.value.slots[name] !== undefined)
    .filter((name) => (slotOf(sql, name)?.walStatus ?? "lost") === "lost");
}

/** On a standby: copies go where the leader's slots are, and are compared with them until they are safe. */
export function copyUpkeep(w: HaWorld, c: ClusterSnapshot, sql: SqlState): readonly HaUpkeep[] {
  if (!sql.inRecovery || w.config.permanentSlots.length === 0) return [];
  const source = readyLeader(w);
  if (source === undefined) return [];
  const moves = isRecent(w, "advance-copies", ADVANCE_RETRY_MS) ? [] : movesOf(w, c, sql);
  const copies = copiesIn(w, sql).map(({ name }) => name);
  const isDoubtful = copies.some((name) => !isSafeCopy(w, name));
  return [
    ...(moves.length === 0 ? [] : [{ kind: "advance-copies", moves } as const]),
    ...(isDoubtful ? [compare(w, source)] : []),
  ];
}

function movesOf(w: HaWorld, c: ClusterSnapshot, sql: SqlState): readonly SlotMove[] {
  return copiesIn(w, sql).flatMap(({ name, logical }) => {
    const to = c.status.value.slots[name];
    const from = logical?.confirmedLsn;
    if (logical === undefined || to === undefined || (from !== undefined && from >= to)) return [];
    return [{ name, database: logical.database, to }];
  });
}

const compare = (w: HaWorld, source: Source): HaUpkeep => ({
  kind: "compare-slots",
  from: upstreamOf(w, source),
  ownSlot: slotNameOf(w.self.name),
});

/** Configured logical slots that are here, usable or not. */
const copiesIn = (w: HaWorld, sql: SqlState): readonly SlotState[] =>
  logicalSlots(w).flatMap(({ name }) => slotOf(sql, name) ?? []);

/**
 * Judged on the leader that was followed last, and moved without a failure since. What is not known to be safe is not.
 */
export function isSafeCopy(w: HaWorld, name: string): boolean {
  const facts = w.memory.copies[name];
  const isMoving = w.outcomes["advance-copies"]?.ok !== false;
  return facts?.isSafe === true && facts.term === w.memory.followedTerm && isMoving;
}

/** For one that is about to lead: copies from which a reader might miss changes or meet rows that are gone. */
export function unsafeCopies(w: HaWorld): readonly string[] {
  const sql = sqlOf(w);
  if (sql?.inRecovery !== true) return [];
  return copiesIn(w, sql)
    .map(({ name }) => name)
    .filter((name) => !isSafeCopy(w, name));
}

/** What one more look teaches: whom we follow, and which copies are gone. */
export function copyMemory(
  w: HaWorld,
  memory: Pick<HaMemory, "copies" | "followedTerm">,
): Pick<HaMemory, "copies" | "followedTerm"> {
  const followedTerm = readyLeader(w)?.term ?? memory.followedTerm;
  const { copies } = memory;
  const sql = sqlOf(w);
  const isHere = (name: string): boolean => sql === undefined || slotOf(sql, name) !== undefined;
  if (Object.keys(copies).every(isHere)) return { copies, followedTerm };
  const known = Object.entries(copies).filter(([name]) => isHere(name));
  return { copies: Object.fromEntries(known), followedTerm };
}

/** What a comparison with the leader's slots teaches about each copy. */
export function comparisonLesson(m: HaMemory, o: Outcome, w: HaWorld): Partial<HaMemory> {
  const sql = sqlOf(w);
  const term = readyLeader(w)?.term;
  if (!o.ok || sql?.inRecovery !== true || term === undefined) return {};
  const seen = o.result as CatalogHorizons;
  const copies: Record<string, SlotCopyFacts> = {};
  for (const slot of copiesIn(w, sql)) {
    const old = m.copies[slot.name];
    const known = old?.term === term ? old : { term, floor: undefined, isSafe: false };
    copies[slot.name] = known.isSafe ? known : judged(known, slot, seen);
  }
  return { copies };
}

/**
 * The leader keeps catalog rows for us from `own` on. What its slot still needed when that began is the floor: rows
 * before it may be gone. A copy that needs none of them, and none from before `own`, can be read from.
 */
function judged(facts: SlotCopyFacts, slot: SlotState, seen: CatalogHorizons): SlotCopyFacts {
  const { own } = seen;
  if (own === undefined) return facts;
  const floor = facts.floor ?? seen.logical[slot.name];
  const needs = slot.catalogXmin;
  if (floor === undefined || needs === undefined) return { ...facts, floor };
  return { ...facts, floor, isSafe: isNotBefore(own, floor) && isNotBefore(needs, own) };
}

/** Transaction numbers go round: the nearer way decides. */
export const isNotBefore = (a: number, b: number): boolean => ((a - b) | 0) >= 0;
