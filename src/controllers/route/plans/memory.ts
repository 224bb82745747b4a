// What do the outcomes of the last steps teach? Each is taken in once.
import type { HoldAnswer, RoutePlan, Target } from "../../../model/route.ts";
import { between, type Instant } from "../../../model/time.ts";
import type { Held, Pointed } from "../../../ports/pooler.ts";
import type { Outcome } from "../../controller.ts";
import { ALARMS_WITHIN_MS } from "../limits.ts";
import type { RouteStep } from "../steps.ts";
import type { Alarm, Pause, RouteMemory, RouteWorld } from "../world.ts";

/** What the steps answer, by kind; the others answer nothing. */
export interface Results {
  readonly point: {
    readonly plan: RoutePlan;
    readonly gone: Target | undefined;
    readonly pointed: Pointed;
    /** When clients who waited went on. */
    readonly releasedAt: Instant | undefined;
  };
  readonly hold: {
    readonly pause: Pause;
    readonly held: Held;
  };
  readonly cut: { readonly intent: number };
}

type Kind = RouteStep["kind"];

const read = ({ store }: RouteWorld): Partial<RouteMemory> =>
  store.kind === "known"
    ? { storeReadAt: store.at, unguarded: store.value.unguarded.value?.member }
    : {};

/** The memory with everything that has happened since the last look. */
export function digest(w: RouteWorld): RouteMemory {
  const news = (Object.entries(w.outcomes) as [Kind, Outcome | undefined][])
    .filter(([kind, outcome]) => outcome !== undefined && w.memory.digested[kind] !== outcome.at)
    .toSorted(([, a], [, b]) => (a?.at ?? 0) - (b?.at ?? 0));
  let memory: RouteMemory = { ...w.memory, ...read(w) };
  for (const [kind, outcome] of news) {
    if (outcome === undefined) continue;
    memory = { ...memory, ...lesson(kind, outcome, memory) };
    memory = { ...memory, digested: { ...memory.digested, [kind]: outcome.at } };
  }
  const alarms = memory.alarms.filter(({ at }) => w.now - at < ALARMS_WITHIN_MS);
  return { ...memory, alarms };
}

function lesson(kind: Kind, outcome: Outcome, memory: RouteMemory): Partial<RouteMemory> {
  switch (kind) {
    case "point":
      return outcome.ok ? pointed(outcome.result as Results["point"], memory) : {};
    case "hold":
      return outcome.ok ? held(outcome.result as Results["hold"]) : {};
    case "cut":
      return outcome.ok
        ? { answer: undefined, cutFor: (outcome.result as Results["cut"]).intent }
        : {};
    case "cut-gone":
      return { gone: undefined };
    case "wait":
      return outcome.ok ? { waits: true } : {};
    case "release":
      return outcome.ok ? released(memory, outcome.at) : {};
    case "close":
      return outcome.ok ? { closed: true } : {};
    case "publish":
    case "keep-lease":
      return outcome.ok ? { leaseKeptAt: outcome.at } : { leaseKeptAt: undefined };
    case "keep":
      return {};
    default:
      return kind satisfies never;
  }
}

function pointed(result: Results["point"], memory: RouteMemory): Partial<RouteMemory> {
  const { plan, gone, pointed: answer, releasedAt } = result;
  const applied = answer.kind === "older" ? memory.applied : plan;
  return {
    applied,
    ...(releasedAt === undefined ? {} : released({ ...memory, applied }, releasedAt)),
    ...(answer.kind === "older" ? {} : { closed: false, waits: false }),
    ...(answer.kind === "older" || gone === undefined ? {} : { gone }),
  };
}

function held({ pause, held: answer }: Results["hold"]): Partial<RouteMemory> {
  if (pause.cause.kind !== "asked") return { pause };
  const { intent } = pause.cause;
  const told: HoldAnswer =
    answer.kind === "held"
      ? { kind: "held", intent }
      : { kind: "busy", intent, blockers: answer.blockers };
  return { pause, answer: told };
}

/** A suspicion that no new term came after was a false alarm, and counts as one. */
function released({ pause, applied, alarms }: RouteMemory, at: Instant): Partial<RouteMemory> {
  if (pause?.cause.kind !== "suspected" || applied?.term !== pause.term)
    return { pause: undefined };
  const alarm: Alarm = { at, waitedMs: between(pause.since, at) };
  return { pause: undefined, alarms: [...alarms, alarm], dismissed: at };
}
