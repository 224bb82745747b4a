// Which WAL must this server keep for whom (R42)? And which of its slots has nobody needed for so long that it may go?
import type { ClusterSnapshot } from "../../../model/cluster.ts";
import { type Lsn, lagBytes } from "../../../model/lsn.ts";
import type { SlotState, SqlState } from "../../../model/server.ts";
import { fitsPattern, type PermanentSlot, slotNameOf } from "../../../model/slot.ts";
import type { SlotReport, SlotUse } from "../../../model/slot-report.ts";
import { after, between, type Instant, type Ms } from "../../../model/time.ts";
import type { HaUpkeep } from "../steps.ts";
import type { HaMemory, HaWorld } from "../world.ts";
import { copyUpkeep, isSafeCopy, logicalSlots, lostSlots, madeSlots } from "./logical-slots.ts";
import { followsSite } from "./site.ts";
import { clusterOf, sqlOf } from "./standing.ts";

/** `away`: nobody's at the moment, kept for a while because its member may come back. */
export type SlotPurpose = Extract<SlotUse, "member" | "away" | "permanent">;

const MINUTE_MS: Ms = 60_000;

/** The slots that this server should have. A standby that may never lead keeps only those of its own cascade. */
export function wantedSlots(w: HaWorld): ReadonlyMap<string, SlotPurpose> {
  const c = clusterOf(w);
  const wanted = new Map<string, SlotPurpose>();
  if (c === undefined || !w.config.useSlots) return wanted;
  const mayLead = !w.self.tags.nofailover;
  if (mayLead) {
    for (const name of Object.keys(w.memory.unneededSince))
      if (!isOverdue(w, name)) wanted.set(name, "away");
    for (const slot of permanentSlots(w))
      if (slot.logical === undefined) wanted.set(slot.name, "permanent");
  }
  for (const name of memberSlots(w, c)) wanted.set(name, "member");
  wanted.delete(slotNameOf(w.self.name));
  return wanted;
}

/** Some are meant for a cluster with a primary of its own alone, some for one that follows another. */
const permanentSlots = (w: HaWorld): readonly PermanentSlot[] =>
  w.config.permanentSlots.filter(({ only }) => only !== (followsSite(w) ? "primary" : "standby"));

function memberSlots(w: HaWorld, c: ClusterSnapshot): readonly string[] {
  const { name: own, tags } = w.self;
  const names: string[] = [];
  for (const m of c.members) {
    if (m.name === own || m.tags.nostream) continue;
    if (!tags.nofailover || m.tags.replicatefrom === own) names.push(slotNameOf(m.name));
  }
  return names;
}

/** How long nobody has needed it, as far as this node knows; undefined: not even that it is so. */
function unneededFor(w: HaWorld, name: string): Ms | undefined {
  const since = w.memory.unneededSince[name];
  return since === undefined ? undefined : between(since, w.now);
}

const isOverdue = (w: HaWorld, name: string): boolean =>
  (unneededFor(w, name) ?? -1) >= w.config.memberSlotsTtlMs;

/** What one more look teaches about the slots: which of them nobody needs, which of them nobody reads, since when. */
export function slotMemory(w: HaWorld): Pick<HaMemory, "unneededSince" | "idleSince"> {
  return { unneededSince: unneeded(w), idleSince: idle(w) };
}

const NOTHING_COUNTED: HaMemory["unneededSince"] = {};

/**
 * Our own count, begun where the leader's published one stood: an absence survives every failover. It never runs far
 * ahead of the leader's, which may have seen a short return that we have missed. A store that cannot be read ends it,
 * to begin again like that: not seeing a member there is not its absence, and who came back meanwhile must get the
 * time to say so. Nor is what this agent slept through: then it begins at nothing, for the published one may be of
 * before the sleep.
 */
function unneeded(w: HaWorld): HaMemory["unneededSince"] {
  const c = clusterOf(w);
  if (c === undefined) return NOTHING_COUNTED;
  const { absentMs } = c.status.value;
  const members = memberSlots(w, c);
  const leaders = leadersOf(c).map(slotNameOf);
  const isNeeded = (name: string): boolean =>
    members.includes(name) || w.config.permanentSlots.some((slot) => slot.name === name);
  const hasSlept = hasSleptFor(w, w.config.ttlMs);
  const since: Record<string, Instant> = {};
  for (const name of [...w.server.ownSlots, ...Object.keys(absentMs)]) {
    if (isNeeded(name)) continue;
    since[name] =
      hasSlept || leaders.includes(name)
        ? w.now
        : laterOf(w.memory.unneededSince[name], w.now, absentMs[name]);
  }
  return since;
}

/** Longer than this, the key of a member that had come back may have ended again unseen. */
const hasSleptFor = ({ memory: { lookedAt }, now }: HaWorld, ms: Ms): boolean =>
  lookedAt !== undefined && between(lookedAt, now) > ms;

/**
 * Who leads, or led last and may lead on by its peers' promises: without the store its own key ends, and it is not away.
 * Its slots are kept, and its absence begins when somebody else holds.
 */
const leadersOf = (c: ClusterSnapshot): readonly string[] =>
  [c.leader?.name, c.hold?.holder].filter((name) => name !== undefined);

/** `publishedMs` is the leader's count in whole minutes. */
function laterOf(own: Instant | undefined, now: Instant, publishedMs: Ms | undefined): Instant {
  if (own === undefined) return after(now, -(publishedMs ?? 0));
  const theirs = publishedMs === undefined ? own : after(now, -(publishedMs + MINUTE_MS));
  return own > theirs ? own : theirs;
}

function idle(w: HaWorld): HaMemory["idleSince"] {
  const sql = sqlOf(w);
  if (sql === undefined) return w.memory.idleSince;
  const since: Record<string, Instant> = {};
  for (const { name, active } of sql.slots) {
    if (!active) since[name] = w.memory.idleSince[name] ?? w.now;
  }
  return since;
}

/** What must change about this server's slots; nothing when all is as it should be. */
export function slotUpkeep(w: HaWorld, c: ClusterSnapshot): readonly HaUpkeep[] {
  const sql = sqlOf(w);
  if (sql === undefined) return [];
  const wanted = wantedSlots(w);
  const create: string[] = [];
  for (const name of wanted.keys()) if (slotOf(sql, name) === undefined) create.push(name);
  const drop = superfluous(w, sql, wanted);
  const positions = advances(c, sql, wanted);
  const isDone = create.length + drop.length + Object.keys(positions).length === 0;
  const asked = w.requests.dropSlot;
  const upkeep: HaUpkeep[] = [];
  if (asked !== undefined) upkeep.push({ kind: "drop-slot", name: asked.name });
  if (!isDone) upkeep.push({ kind: "sync-slots", create, drop, positions });
  upkeep.push(...madeSlots(w, c, sql), ...copyUpkeep(w, c, sql));
  return upkeep;
}

const slotOf = (sql: SqlState, name: string): SlotState | undefined =>
  sql.slots.find((slot) => slot.name === name);

/**
 * Only what our own record names, physical, and read by nobody. While the cluster has no leader or is paused nothing
 * goes: both are times in which a member's absence means little. A member's slot that PostgreSQL has given up keeps no
 * WAL and lets nobody in; it goes to be made anew.
 */
function superfluous(
  w: HaWorld,
  sql: SqlState,
  wanted: ReadonlyMap<string, SlotPurpose>,
): readonly string[] {
  if (w.config.paused || clusterOf(w)?.leader === undefined) return [];
  return w.server.ownSlots.filter((name) => {
    const slot = slotOf(sql, name);
    if (slot === undefined) return !wanted.has(name) && isOverdue(w, name);
    if (slot.kind !== "physical" || slot.active) return false;
    if (w.config.ignoredSlots.some((pattern) => fitsPattern(slot, pattern))) return false;
    return wanted.has(name)
      ? slot.walStatus === "lost" && wanted.get(name) === "member"
      : isOverdue(w, name);
  });
}

/**
 * A standby's slots go where the leader's are. A primary's idle slots go where a member that streams from another
 * standby says it is: it will want the rest from here when that standby is gone.
 */
function advances(
  c: ClusterSnapshot,
  sql: SqlState,
  wanted: ReadonlyMap<string, SlotPurpose>,
): Readonly<Record<string, Lsn>> {
  const positions: Record<string, Lsn> = {};
  for (const name of wanted.keys()) {
    const slot = slotOf(sql, name);
    if (slot === undefined || slot.kind !== "physical" || slot.active) continue;
    const at = sql.inRecovery ? c.status.value.slots[name] : cascadedAt(c, sql, name);
    if (at !== undefined && (slot.restartLsn === undefined || slot.restartLsn < at))
      positions[name] = at;
  }
  return positions;
}

/** A position on another timeline says nothing about this server's WAL. */
function cascadedAt(c: ClusterSnapshot, sql: SqlState, name: string): Lsn | undefined {
  const member = c.members.find((m) => slotNameOf(m.name) === name);
  const isComparable = member?.replicationState === "streaming" && member.timeline === sql.timeline;
  return isComparable ? member.position : undefined;
}

/** For the `status` key: where the slots are that others keep too, and how long members have been away. */
export function publishedSlots(
  w: HaWorld,
  c: ClusterSnapshot,
  sql: SqlState,
): { readonly slots: Readonly<Record<string, Lsn>>; readonly absentMs: Record<string, Ms> } {
  const wanted = wantedSlots(w);
  const logical = new Set(logicalSlots(w).map(({ name }) => name));
  const slots: Record<string, Lsn> = {};
  // A lost one keeps its last position: that it existed must not be forgotten.
  for (const name of lostSlots(w, c)) {
    const at = c.status.value.slots[name];
    if (at !== undefined) slots[name] = at;
  }
  for (const slot of sql.slots) {
    if (!wanted.has(slot.name) && !logical.has(slot.name)) continue;
    const at = slot.logical === undefined ? slot.restartLsn : slot.logical.confirmedLsn;
    if (at !== undefined) slots[slot.name] = at;
  }
  const own = ownPosition(w, sql);
  if (own !== undefined) slots[slotNameOf(w.self.name)] = own;
  const absentMs: Record<string, Ms> = {};
  for (const [name, purpose] of wanted) {
    const ms = unneededFor(w, name);
    if (purpose === "away" && ms !== undefined)
      absentMs[name] = Math.floor(ms / MINUTE_MS) * MINUTE_MS;
  }
  return { slots, absentMs };
}

/** From where the others shall keep WAL for us: our last checkpoint, which a crash or a rewind goes back to. */
function ownPosition(w: HaWorld, sql: SqlState): Lsn | undefined {
  const checkpoint = w.server.control?.checkpointLsn;
  return checkpoint === undefined || checkpoint > sql.position ? undefined : checkpoint;
}

/** Every slot of this server with what it is for; empty while the server does not answer. */
export function slotReports(w: HaWorld): readonly SlotReport[] {
  const sql = sqlOf(w);
  if (sql === undefined) return [];
  const wanted = wantedSlots(w);
  const permanent = new Set(w.config.permanentSlots.map(({ name }) => name));
  const useOf = (slot: SlotState): SlotUse => {
    if (slot.temporary) return "temporary";
    if (w.config.ignoredSlots.some((pattern) => fitsPattern(slot, pattern))) return "ignored";
    return wanted.get(slot.name) ?? (permanent.has(slot.name) ? "permanent" : "unknown");
  };
  return sql.slots.map((slot) => {
    const since = w.memory.idleSince[slot.name];
    const idleMs = slot.active || since === undefined ? undefined : between(since, w.now);
    const { restartLsn } = slot;
    const retainedBytes = restartLsn === undefined ? undefined : lagBytes(sql.position, restartLsn);
    const isCopy = sql.inRecovery && slot.logical !== undefined && permanent.has(slot.name);
    const isSafe = isCopy ? isSafeCopy(w, slot.name) : undefined;
    return { slot, use: useOf(slot), idleMs, retainedBytes, isSafe };
  });
}
