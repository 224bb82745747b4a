// Where do clients go now? The first answer wins. Who leads is the ha room's question: here it is only followed.
import type { RoutePlan } from "../../model/route.ts";
import { isSame } from "../../model/same.ts";
import { after } from "../../model/time.ts";
import type { Decision } from "../controller.ts";
import { ASK_CALMLY_MS, RETRY_CALMLY_MS, RETRY_MS } from "./limits.ts";
import { digest } from "./plans/memory.ts";
import { publishing } from "./plans/publishing.ts";
import { planRoutes } from "./plans/routes.ts";
import { askedFor, clusterOf, isPointed, isReadOnly, provenLeader } from "./plans/standing.ts";
import { handOver } from "./rungs/hand-over.ts";
import { ignorance } from "./rungs/ignorance.ts";
import type { Rung, Verdict } from "./rungs/rung.ts";
import { paused, suspicion, troubleOf } from "./rungs/suspicion.ts";
import type { RouteStep, RouteUpkeep } from "./steps.ts";
import type { RouteMemory, RouteWorld } from "./world.ts";

const LADDER: readonly Rung[] = [
  stopping, // is the agent leaving?
  overdue, // has a pause lasted too long?
  ignorance, // can the store be read?
  handOver, // does the leader ask for a pause?
  shut, // does nobody take writes, since the cluster follows another site?
  follow, // has another member proved that it takes writes?
  suspicion, // is the primary gone?
  unnamed, // may who comes in over a balancer still be sent to it?
  paused, // may clients go on?
  cutGone, // does somebody hang on a primary of before?
  steady, // has anything else changed?
];

/** What to do in this world: pure, synchronous, total. */
export function decide(world: RouteWorld): Decision<RouteStep, RouteMemory> {
  const learnt: RouteWorld = { ...world, memory: digest(world) };
  const w: RouteWorld = { ...learnt, memory: { ...learnt.memory, ...kept(learnt) } };
  const verdict = patient(w, firstAnswer(w));
  const { because, detail, step, wakeAt } = verdict;
  const memory = { ...w.memory, ...verdict.remember };
  return {
    because,
    ...(detail === undefined || detail === "" ? {} : { detail }),
    upkeep: step === undefined ? upkeepOf({ ...w, memory }, verdict) : [],
    ...(step === undefined ? {} : { step }),
    vouch: false,
    ...(wakeAt === undefined ? {} : { wakeAt }),
    memory,
  };
}

function firstAnswer(w: RouteWorld): Verdict {
  for (const rung of LADDER) {
    const verdict = rung(w);
    if (verdict !== undefined) return verdict;
  }
  return { because: "routing" };
}

/** An answer counts for its wish only, and trouble lasts while it lasts. */
function kept(w: RouteWorld): Partial<RouteMemory> {
  const c = clusterOf(w);
  const { answer } = w.memory;
  const asked = c === undefined ? answer?.intent : askedFor(c);
  // Who stood in the way is still read when the wish has been taken back.
  const isOver = answer?.intent !== asked && (answer?.kind === "held" || asked !== undefined);
  return {
    trouble: troubleOf(w),
    answer: isOver ? undefined : answer,
    cutFor: w.memory.cutFor === asked ? w.memory.cutFor : undefined,
  };
}

/** A step that has just failed is not tried again at once. */
function patient(w: RouteWorld, verdict: Verdict): Verdict {
  const last = verdict.step === undefined ? undefined : w.outcomes[verdict.step.kind];
  const retryMs = w.memory.pause === undefined ? RETRY_CALMLY_MS : RETRY_MS;
  if (last === undefined || last.ok || w.now - last.at >= retryMs) return verdict;
  const { because, remember } = verdict;
  return {
    because,
    detail: last.why ?? "",
    wakeAt: after(last.at, retryMs),
    ...(remember === undefined ? {} : { remember }),
  };
}

function upkeepOf(w: RouteWorld, { because }: Verdict): readonly RouteUpkeep[] {
  const { applied, closed, waits } = w.memory;
  const keep: readonly RouteUpkeep[] =
    applied === undefined || closed || waits ? [] : [{ kind: "keep", plan: applied }];
  return [...publishing(w, because), ...keep];
}

function stopping(w: RouteWorld): Verdict | undefined {
  if (!w.stopping) return undefined;
  return w.memory.pause === undefined
    ? { because: "route_stopping" }
    : { because: "route_releasing", step: { kind: "release" } };
}

function overdue(w: RouteWorld): Verdict | undefined {
  const { pause } = w.memory;
  if (pause === undefined || w.now < pause.until) return undefined;
  return { because: "route_releasing", detail: "waited too long", step: { kind: "release" } };
}

/** The cluster follows another site from now on: writers are refused at the door, and readers go on. */
function shut(w: RouteWorld): Verdict | undefined {
  const c = clusterOf(w);
  if (c === undefined || !isReadOnly(c) || isPointed(c, w.memory)) return undefined;
  const plan = planRoutes({ cluster: c, primary: undefined, settings: w.self.settings });
  const detail = "the cluster follows another site: nobody takes writes";
  const gone = w.memory.applied?.write;
  return { because: "route_pointing", detail, step: { ...point(w, plan), gone } };
}

/** A leader that clients are not sent to yet, and that has proved that it takes writes. */
function follow(w: RouteWorld): Verdict | undefined {
  const c = clusterOf(w);
  if (c === undefined || isPointed(c, w.memory)) return undefined;
  const primary = provenLeader(w, c);
  if (primary === undefined) return undefined;
  const plan = planRoutes({ cluster: c, primary, settings: w.self.settings });
  const old = w.memory.applied?.write;
  // A planned switchover has drained it, and its server ended in good order.
  const isPlanned = w.memory.pause?.cause.kind === "asked";
  const gone = old !== undefined && old.name !== plan.write?.name && !isPlanned ? old : undefined;
  const detail = `${primary.name}, term ${primary.term}`;
  return { because: "route_pointing", detail, step: { ...point(w, plan), gone } };
}

/** Who waits for a change of roles has waited for this. */
const point = (w: RouteWorld, plan: RoutePlan) =>
  ({ kind: "point", plan, gone: undefined, thenRelease: w.memory.pause !== undefined }) as const;

/**
 * A server that ended while its leader gave way comes back as a standby: nobody may be sent there to write. One that runs on
 * while only its key is gone keeps its sessions.
 */
function unnamed({ memory, self, lostSince }: RouteWorld): Verdict | undefined {
  const { trouble, applied, waits } = memory;
  const isNamed = trouble === undefined || trouble.kind === "lost" || lostSince === undefined;
  if (self.settings.haproxy === undefined || waits || isNamed || applied?.write === undefined)
    return undefined;
  return { because: "route_waiting_for_primary", step: { kind: "wait" } };
}

/** After clients have gone on: those who wait are served at once, and only those who are linked wait for this. */
function cutGone(w: RouteWorld): Verdict | undefined {
  const { gone } = w.memory;
  if (gone === undefined) return undefined;
  return {
    because: "route_cutting_old",
    detail: gone.name,
    step: { kind: "cut-gone", target: gone },
  };
}

function steady(w: RouteWorld): Verdict | undefined {
  const c = clusterOf(w);
  if (c === undefined || !isPointed(c, w.memory)) {
    const wakeAt = after(w.now, ASK_CALMLY_MS);
    const detail = c?.leader === undefined ? "nobody leads" : `${c.leader.name} is not ready yet`;
    return { because: "route_waiting_for_primary", detail, wakeAt };
  }
  const primary = isReadOnly(c) ? undefined : c.leader;
  const plan = planRoutes({ cluster: c, primary, settings: w.self.settings });
  if (isSame(plan, w.memory.applied) && !w.memory.closed && !w.memory.waits)
    return primary === undefined ? { because: "route_reading" } : undefined;
  return { because: "route_pointing", step: point(w, plan) };
}
