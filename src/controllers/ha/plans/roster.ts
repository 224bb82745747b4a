// Who may race when this leader is gone, and who might, by what is still under way? (R28)
import { type ClusterSnapshot, memberNamed, type Roster } from "../../../model/cluster.ts";
import { isSame } from "../../../model/same.ts";
import type { Instant } from "../../../model/time.ts";
import type { HaUpkeep } from "../steps.ts";
import type { HaMemory, HaWorld, RosterMemory } from "../world.ts";
import { clusterOf } from "./standing.ts";

/** Before a leader has written the list everybody may race, afterwards only who stands in it. */
export function isListed(w: HaWorld, name: string): boolean {
  const roster = clusterOf(w)?.roster.value;
  return roster === undefined || name in roster;
}

/** A leader's upkeep: the list, when it has changed, and once in every life of its agent. */
export function rosterUpkeep(w: HaWorld, c: ClusterSnapshot, term: number): readonly HaUpkeep[] {
  const { value, modRevision } = c.roster;
  const roster = wanted(w, c);
  if (value !== undefined && isSame(value, roster) && w.memory.roster.isOwn) return [];
  return [{ kind: "write-roster", term, roster, revision: modRevision }];
}

/** Everybody who is there and may lead; and who stands in the list and has not been absent for a ttl yet. */
function wanted(w: HaWorld, c: ClusterSnapshot): Roster {
  const { absentSince } = w.memory.roster;
  const isStaying = ([name]: readonly [string, string]): boolean => {
    const since = absentSince[name];
    return since !== undefined && w.now - since <= w.config.ttlMs;
  };
  const roster: Record<string, string> = Object.fromEntries(
    Object.entries(c.roster.value ?? {}).filter(isStaying),
  );
  for (const m of c.members) {
    if (!m.tags.nofailover && m.apiUrl !== "") roster[m.name] = m.apiUrl;
  }
  roster[w.self.name] = w.self.apiUrl;
  return roster;
}

/** What this look at the store teaches about the list. */
export function rosterSeen(w: HaWorld, memory: HaMemory): RosterMemory {
  const c = clusterOf(w);
  const before = memory.roster;
  if (c === undefined) return w.storeChanged ? { ...before, isStrange: true } : before;
  const { value, modRevision } = c.roster;
  const absentSince: Record<string, Instant> = {};
  for (const name in value) {
    if (memberNamed(c, name) === undefined) absentSince[name] = before.absentSince[name] ?? w.now;
  }
  // Each list is sent with a compare of the revision before it: once that has moved, it can land no more.
  const sent = modRevision === before.revision ? before.sent : {};
  return {
    confirmed: value,
    revision: modRevision,
    sent,
    isOwn: before.isOwn,
    isStrange: false,
    absentSince,
  };
}

/** Noted before a list leaves: its answer may be lost, and it may land all the same. */
export function rosterSent(roster: RosterMemory, upkeep: readonly HaUpkeep[]): RosterMemory {
  return upkeep.reduce(
    (r, u) => (u.kind === "write-roster" ? { ...r, sent: { ...r.sent, ...u.roster } } : r),
    roster,
  );
}

/**
 * Everybody but this member who may race or could by a list that is under way; undefined while that is not surely
 * known: no list yet, none written in this life of the agent, or another store that answers in the place of ours.
 */
export function possibleRivals(self: string, memory: RosterMemory): Roster | undefined {
  const { confirmed, sent, isOwn, isStrange } = memory;
  if (confirmed === undefined || !isOwn || isStrange) return undefined;
  const all = Object.entries({ ...sent, ...confirmed });
  return Object.fromEntries(all.filter(([name]) => name !== self));
}
