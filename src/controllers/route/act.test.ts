// Do pooler and balancer stand for themselves?
import { describe, expect, it } from "vitest";
import { routing } from "../../../test/support/route-world.ts";
import { NOW } from "../../../test/support/world.ts";
import { AppError } from "../../model/error.ts";
import type { RoutePlan, RouterStatus, Target } from "../../model/route.ts";
import type { Held, Pointed } from "../../ports/pooler.ts";
import { act, type RouteActing } from "./act.ts";

const { applied } = routing().memory;
if (applied === undefined) throw new Error("a plan is applied");
const PLAN: RoutePlan = applied;
const POINT = { kind: "point", plan: PLAN, gone: undefined, thenRelease: true } as const;

const BROKEN = (): Promise<Pointed> =>
  Promise.reject(new AppError("HAPROXY_FAILED", "starting HAProxy"));
const POINTED = (): Promise<Pointed> => Promise.resolve({ kind: "pointed" });
const OLDER = (): Promise<Pointed> => Promise.resolve({ kind: "older", term: 300 });

/** A router whose programs answer so to every plan. */
function programs(pooler: () => Promise<Pointed>, balancer: () => Promise<Pointed>) {
  const watched: (Target | undefined)[] = [];
  let releases = 0;
  const release = (): Promise<void> => Promise.resolve(void (releases += 1));
  const acting = {
    clock: { now: () => NOW },
    pooler: { ensure: pooler, release },
    balancer: { ensure: balancer },
    lookout: { watch: (target: Target | undefined) => void watched.push(target) },
  } as unknown as RouteActing;
  const signal = new AbortController().signal;
  const point = () => act(acting, POINT, signal);
  return { watched, point, acting, signal, releases: () => releases };
}

describe("a new plan", () => {
  it("does not wait for a balancer in trouble: the pooler's clients do", async () => {
    const both = programs(POINTED, BROKEN);
    expect(await both.point()).toMatchObject({ pointed: { kind: "pointed" } });
    expect(both.watched).toEqual([PLAN.write]);
  });

  it("lets clients go on at once, and only when the pooler leads where it says", async () => {
    const obeys = programs(POINTED, POINTED);
    expect(await obeys.point()).toMatchObject({ releasedAt: NOW });
    expect(obeys.releases()).toBe(1);
    for (const pooler of [BROKEN, OLDER]) {
      const refuses = programs(pooler, POINTED);
      await refuses.point().catch(() => undefined);
      expect(refuses.releases()).toBe(0);
    }
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

describe("a pause that the leader asked for", () => {
  const status = { name: "r1" } as RouterStatus;
  const hold = (held: Held) => {
    const published: RouterStatus[] = [];
    const acting = {
      clock: { now: () => NOW },
      pooler: { hold: () => Promise.resolve(held) },
      dcs: { publishRouter: (one: RouterStatus) => Promise.resolve(void published.push(one)) },
    } as unknown as RouteActing;
    const cause = { kind: "asked", intent: 7 } as const;
    const limits = { term: 1, drainMs: 1, limitMs: 1 };
    const step = { kind: "hold", cause, ...limits, announce: status } as const;
    return act(acting, step, new AbortController().signal).then(() => published);
  };

  it("is told to it as soon as everybody waits, and only then", async () => {
    expect(await hold({ kind: "held" })).toEqual([status]);
    expect(await hold({ kind: "busy", blockers: ["app@10.0.0.9"] })).toEqual([]);
  });
});
