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

/** The memory with every new outcome digested once. */
export function digest(w: HaWorld): HaMemory {
  let memory = w.memory;
  for (const kind of Object.keys(w.outcomes)) {
    const outcome = w.outcomes[kind];
    const seen = memory.digested[kind];
    if (outcome === undefined || (seen !== undefined && seen >= outcome.at)) continue;
    const lesson = LESSONS[kind]?.(memory, outcome, w) ?? {};
    memory = { ...memory, ...lesson, digested: { ...memory.digested, [kind]: outcome.at } };
  }
  const down = w.server.process.kind !== "running";
  const downSince = down ? (memory.downSince ?? w.now) : undefined;
  const c = clusterOf(w);
  const leaderTerm = c?.leader?.term;
  // A divergence is from one leader's history: under another leader it is judged anew.
  const stale =
    memory.divergedFrom !== undefined &&
    leaderTerm !== undefined &&
    leaderTerm !== memory.divergedFrom;
  const isHeld = c?.hold !== undefined;
  const goneSince = c === undefined ? memory.holdGoneSince : (memory.holdGoneSince ?? w.now);
  const isSilent = !down && w.server.sql.kind === "unknown";
  return {
    ...memory,
    ...lifeOf(memory, w),
    ...(isStandby(w) ? { crashes: [] } : {}),
    ...slotMemory(w),
    ...cascadeMemory(w),
    ...copyMemory({ ...w, memory }),
    downSince,
    siteFollowed: siteUpstream(w)?.member ?? memory.siteFollowed,
    diskFullSince: isDiskFull(w) ? (memory.diskFullSince ?? w.now) : undefined,
    silentSince: isSilent ? (memory.silentSince ?? w.now) : undefined,
    heardAt: w.contact.heardAt ?? memory.heardAt,
    roster: rosterSeen(w, memory),
    holdGoneSince: isHeld ? undefined : goneSince,
    ...(stale ? { divergedFrom: undefined, rewindFailedFor: undefined } : {}),
  };
}
