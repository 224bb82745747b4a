// How does the route room carry out a step? One verb each.
import type { RoutePlan } from "../../model/route.ts";
import { after, type Instant } from "../../model/time.ts";
import type { Balancer } from "../../ports/balancer.ts";
import type { Pointed, Pooler } from "../../ports/pooler.ts";
import { WRITE_LIMIT_MS } from "./limits.ts";
import type { RoutePorts } from "./observe.ts";
import type { Results } from "./plans/memory.ts";
import type { RouteStep } from "./steps.ts";

export interface RouteActing extends RoutePorts {
  readonly pooler: Pooler | undefined;
  readonly balancer: Balancer | undefined;
  /** The lease that this router's key hangs on. */
  readonly leaseId: string;
}

/** Carries out one step; what it answers becomes the outcome's result. */
export async function act(o: RouteActing, step: RouteStep, signal: AbortSignal): Promise<unknown> {
  switch (step.kind) {
    case "keep":
      return keep(o, step.plan, signal);
    case "publish":
      await o.dcs.ensureLease(o.leaseId, step.ttlMs, WRITE_LIMIT_MS);
      return o.dcs.publishRouter(step.status, o.leaseId, WRITE_LIMIT_MS);
    case "keep-lease":
      return o.dcs.ensureLease(o.leaseId, step.ttlMs, WRITE_LIMIT_MS);
    case "point":
      return point(o, step, signal);
    case "hold":
      return hold(o, step, signal);
    case "cut":
      await o.pooler?.cut(step.target, signal);
      return { intent: step.intent } satisfies Results["cut"];
    case "cut-gone":
      return o.pooler?.cut(step.target, signal);
    case "wait":
      return o.balancer?.wait(signal);
    case "release":
      return o.pooler?.release(signal);
    case "close":
      return Promise.all([o.pooler?.closeWrites(signal), o.balancer?.closeWrites(signal)]);
    default:
      return step satisfies never;
  }
}

/** Both at once, and neither waits for the other. */
async function keep(
  { pooler, balancer }: RouteActing,
  plan: RoutePlan,
  signal: AbortSignal,
): Promise<void> {
  const ends = await Promise.allSettled([
    pooler?.ensure(plan, signal),
    balancer?.ensure(plan, signal),
  ]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/**
 * A pooler that does not obey keeps its clients waiting: they would go on to the wrong server. They do not wait for a balancer
 * in trouble, which is told again with every look. A plan that one of them has overtaken is not in force.
 */
async function point(
  o: RouteActing,
  step: Extract<RouteStep, { kind: "point" }>,
  signal: AbortSignal,
): Promise<Results["point"]> {
  const { plan, gone } = step;
  const pooled = leadPooler(o, step, signal);
  const [first, second] = await Promise.allSettled([pooled, o.balancer?.ensure(plan, signal)]);
  if (first.status === "rejected") throw first.reason;
  if (o.pooler === undefined && second.status === "rejected") throw second.reason;
  const balanced = second.status === "fulfilled" ? second.value : undefined;
  const pointed = [first.value.pointed, balanced].find((one) => one?.kind === "older") ?? {
    kind: "pointed",
  };
  if (pointed.kind === "pointed") o.lookout.watch(plan.write);
  return { plan, gone, pointed, releasedAt: first.value.releasedAt };
}

/** Each look in between would be time that clients wait. */
async function leadPooler(
  { pooler, clock }: RouteActing,
  { plan, thenRelease }: Extract<RouteStep, { kind: "point" }>,
  signal: AbortSignal,
): Promise<{ readonly pointed: Pointed | undefined; readonly releasedAt: Instant | undefined }> {
  const pointed = await pooler?.ensure(plan, signal);
  if (!thenRelease || pointed?.kind !== "pointed") return { pointed, releasedAt: undefined };
  await pooler?.release(signal);
  return { pointed, releasedAt: clock.now() };
}

async function hold(
  o: RouteActing,
  step: Extract<RouteStep, { kind: "hold" }>,
  signal: AbortSignal,
): Promise<Results["hold"]> {
  const { cause, term, drainMs, limitMs, announce } = step;
  const since = o.clock.now();
  const held = (await o.pooler?.hold({ drainMs, limitMs }, signal)) ?? { kind: "held" };
  // The next look publishes what this could not.
  if (announce !== undefined && held.kind === "held")
    await o.dcs.publishRouter(announce, o.leaseId, WRITE_LIMIT_MS).catch(() => undefined);
  return { pause: { cause, term, since, until: after(since, limitMs) }, held };
}
