// Do pooler and balancer stand for themselves?
import { describe, expect, it } from "vitest";
import { routing } from "../../../test/support/route-world.ts";
import { AppError } from "../../model/error.ts";
import type { RoutePlan, Target } from "../../model/route.ts";
import type { Pointed } from "../../ports/pooler.ts";
import { act, type RouteActing } from "./act.ts";

const { applied } = routing().memory;
if (applied === undefined) throw new Error("a plan is applied");
const PLAN: RoutePlan = applied;
const POINT = { kind: "point", plan: PLAN, gone: undefined } as const;

const BROKEN = (): Promise<Pointed> =>
  Promise.reject(new AppError("HAPROXY_FAILED", "starting HAProxy"));
const POINTED = (): Promise<Pointed> => Promise.resolve({ kind: "pointed" });
const OLDER = (): Promise<Pointed> => Promise.resolve({ kind: "older", term: 300 });

/** A router whose programs answer so to every plan. */
function programs(pooler: () => Promise<Pointed>, balancer: () => Promise<Pointed>) {
  const watched: (Target | undefined)[] = [];
  const acting = {
    pooler: { ensure: pooler },
    balancer: { ensure: balancer },
    lookout: { watch: (target: Target | undefined) => void watched.push(target) },
  } as unknown as RouteActing;
  const signal = new AbortController().signal;
  return { watched, point: () => act(acting, POINT, signal), acting, signal };
}

describe("a new plan", () => {
  it("does not wait for a balancer in trouble: the pooler's clients do", async () => {
    const both = programs(POINTED, BROKEN);
    expect(await both.point()).toMatchObject({ pointed: { kind: "pointed" } });
    expect(both.watched).toEqual([PLAN.write]);
  });

  it("is not in force when the pooler does not obey, or when one knows a newer one", async () => {
    await expect(programs(BROKEN, POINTED).point()).rejects.toThrow("HAProxy");
    const overtaken = programs(POINTED, OLDER);
    expect(await overtaken.point()).toMatchObject({ pointed: { kind: "older", term: 300 } });
    expect(overtaken.watched).toEqual([]);
  });
});

it("a program in trouble is told of at every look", async () => {
  const { acting, signal } = programs(POINTED, BROKEN);
  await expect(act(acting, { kind: "keep", plan: PLAN }, signal)).rejects.toThrow("HAProxy");
});
