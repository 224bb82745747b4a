// What do the outcomes of past steps mean for the next decisions?
import { waitOf } from "../../../model/sync.ts";
import { after } from "../../../model/time.ts";
import type { ClosedGate } from "../../../ports/postgres.ts";
import type { Outcome } from "../../controller.ts";
import type { HaMemory, HaWorld } from "../world.ts";
import { cascadeMemory } from "./cascade.ts";
import { isDiskFull } from "./fitness.ts";
import { comparisonLesson, copyMemory } from "./logical-slots.ts";
import { lifeOf } from "./restarts.ts";
import { rosterSeen } from "./roster.ts";
import { siteUpstream } from "./site.ts";
import { slotMemory } from "./slots.ts";
import { clusterOf, isStandby, sqlOf } from "./standing.ts";
import { strangerLed } from "./stranger.ts";

type Digest = (memory: HaMemory, outcome: Outcome, w: HaWorld) => Partial<HaMemory>;

/** What each kind of finished step teaches; kinds that are not listed teach nothing. */
const LESSONS: Readonly<Record<string, Digest>> = {
  promote: (_, o, w) =>
    o.ok ? { slowPromotions: 0 } : { standBackUntil: after(o.at, w.config.ttlMs) },
  "compare-slots": comparisonLesson,
  "start-standby": startLesson,
  "copy-slots": (m, o) => (o.ok ? startLesson(m, o) : {}),
  "start-primary": (m, o) => (o.ok ? startLesson(m, o) : {}),
  rewind: (m, o) =>
    o.ok
      ? { divergedFrom: undefined, rewindFailedFor: undefined }
      : { rewindFailedFor: m.divergedFrom },
  "write-roster": (m, o) =>
    o.ok && o.result === "written" ? { roster: { ...m.roster, isOwn: true } } : {},
  // A proof outlives the opening of its gate. Closed again it must be proven again, and one that failed counts for none.
  "set-sync-names": (m, o, w) =>
    o.ok && waitOf(w.server.syncNames).members.length > 0 ? { gate: m.gate } : { gate: undefined },
  "prove-gate": (_, o, w) => ({ gate: provenGate(o, w) }),
  clone: (_, o) => (o.ok ? { divergedFrom: undefined, rewindFailedFor: undefined } : {}),
};

function provenGate(o: Outcome, w: HaWorld): HaMemory["gate"] {
  const proof = o.ok ? (o.result as ClosedGate | undefined) : undefined;
  const run = sqlOf(w)?.sharedSinceText;
  return proof?.kind === "closed" && run !== undefined ? { run, end: proof.end } : undefined;
}

function startLesson(m: HaMemory, o: Outcome): Partial<HaMemory> {
  return o.ok
    ? { startFailures: 0, startFailedAt: undefined }
    : { startFailures: m.startFailures + 1, startFailedAt: o.at };
}

const NO_CRASHES: HaMemory["crashes"] = [];

/** The memory with every new outcome digested once. */
export function digest(w: HaWorld): HaMemory {
  const memory = learned(w);
  const isDown = w.server.process.kind !== "running";
  const isSilent = !isDown && w.server.sql.kind === "unknown";
  const c = clusterOf(w);
  const leaderTerm = c?.leader?.term;
  const isStale =
    memory.divergedFrom !== undefined &&
    leaderTerm !== undefined &&
    leaderTerm !== memory.divergedFrom;
  const goneSince = c === undefined ? memory.holdGoneSince : (memory.holdGoneSince ?? w.now);
  const { life, crashes } = lifeOf(memory, w);
  const { unneededSince, idleSince } = slotMemory(w);
  const { unfedSince, cascadeAvoidUntil } = cascadeMemory(w);
  const { copies, followedTerm } = copyMemory(w, memory);
  // Every field by name, so that all memories have one shape: it is built at every look and read all through it.
  return {
    crashes: isStandby(w) ? NO_CRASHES : crashes,
    standBackUntil: memory.standBackUntil,
    slowPromotions: memory.slowPromotions,
    diskFullSince: isDiskFull(w) ? (memory.diskFullSince ?? w.now) : undefined,
    // A divergence is from one leader's history: under another leader it is judged anew.
    divergedFrom: isStale ? undefined : memory.divergedFrom,
    rewindFailedFor: isStale ? undefined : memory.rewindFailedFor,
    startFailures: memory.startFailures,
    startFailedAt: memory.startFailedAt,
    digested: memory.digested,
    downSince: isDown ? (memory.downSince ?? w.now) : undefined,
    silentSince: isSilent ? (memory.silentSince ?? w.now) : undefined,
    life,
    racingSince: memory.racingSince,
    told: memory.told,
    startedAlone: memory.startedAlone,
    inherited: memory.inherited,
    chosen: memory.chosen,
    heardAt: w.contact.heardAt ?? memory.heardAt,
    handover: memory.handover,
    roster: rosterSeen(w, memory),
    gate: memory.gate,
    syncAloneSince: memory.syncAloneSince,
    holdGoneSince: c?.hold === undefined ? goneSince : undefined,
    lookedAt: w.now,
    strangerLed: strangerLed(w, memory),
    unneededSince,
    idleSince,
    copies,
    followedTerm,
    siteFollowed: siteUpstream(w)?.member ?? memory.siteFollowed,
    unfedSince,
    cascadeAvoidUntil,
  };
}

function learned(w: HaWorld): HaMemory {
  let memory = w.memory;
  for (const kind of Object.keys(w.outcomes)) {
    const learn = LESSONS[kind];
    const outcome = w.outcomes[kind];
    const seen = memory.digested[kind];
    if (learn === undefined || outcome === undefined) continue;
    if (seen !== undefined && seen >= outcome.at) continue;
    const lesson = learn(memory, outcome, w);
    memory = { ...memory, ...lesson, digested: { ...memory.digested, [kind]: outcome.at } };
  }
  return memory;
}
