// Worlds of the route room for tests: a healthy one, and small functions that each change one thing.
import type { Outcome } from "../../src/controllers/controller.ts";
import { planRoutes } from "../../src/controllers/route/plans/routes.ts";
import {
  firstMemory,
  type Pause,
  type RouteMemory,
  type RouteWorld,
} from "../../src/controllers/route/world.ts";
import type { ClusterSnapshot } from "../../src/model/cluster.ts";
import { known, unknown } from "../../src/model/known.ts";
import type { RouterSettings } from "../../src/model/router-settings.ts";
import { after, type Ms } from "../../src/model/time.ts";
import { ROUTER } from "../../src/sim/router.ts";
import { following, NOW, TERM } from "./world.ts";

export type RouteChange = (w: RouteWorld) => RouteWorld;

const base = following();
if (base.store.kind !== "known") throw new Error("the store is known");
const CLUSTER = base.store.value;

/** Clients are sent to n1, the leader of `TERM`, and nothing is wrong. */
export function routing(...changes: readonly RouteChange[]): RouteWorld {
  const plan = planRoutes({ cluster: CLUSTER, primary: CLUSTER.leader, settings: ROUTER });
  const healthy: RouteWorld = {
    now: NOW,
    self: {
      name: "r1",
      apiUrl: "http://r1.example:8008",
      agentVersion: "1",
      settings: ROUTER,
      addresses: {},
    },
    store: known(CLUSTER, NOW),
    ttlMs: 10_000,
    leaderSays: undefined,
    lostSince: undefined,
    stopping: false,
    outcomes: {},
    memory: { ...firstMemory(NOW, ROUTER), pause: undefined, applied: plan, leaseKeptAt: NOW },
  };
  return changes.reduce((w, change) => change(w), healthy);
}

export const shown =
  (change: (c: ClusterSnapshot) => Partial<ClusterSnapshot>): RouteChange =>
  (w) => {
    if (w.store.kind !== "known") throw new Error("the store is known");
    return { ...w, store: known({ ...w.store.value, ...change(w.store.value) }, NOW) };
  };

export const unreadFor =
  (ms: Ms): RouteChange =>
  (w) => ({
    ...w,
    store: unknown("no answer", NOW),
    memory: { ...w.memory, storeReadAt: after(NOW, -ms) },
  });

export const remembering =
  (change: Partial<RouteMemory>): RouteChange =>
  (w) => ({ ...w, memory: { ...w.memory, ...change } });

export const told =
  (settings: Partial<RouterSettings>): RouteChange =>
  (w) => ({ ...w, self: { ...w.self, settings: { ...w.self.settings, ...settings } } });

export const lostFor =
  (ms: Ms): RouteChange =>
  (w) => ({ ...w, lostSince: after(NOW, -ms) });

export const pausedFor = (ms: Ms, change: Partial<Pause> = {}): RouteChange =>
  remembering({
    pause: {
      cause: { kind: "suspected" },
      since: after(NOW, -ms),
      until: after(NOW, 15_000 - ms),
      term: TERM,
      ...change,
    },
  });

export const outcome =
  (kind: string, change: Partial<Outcome>): RouteChange =>
  (w) => ({
    ...w,
    outcomes: {
      ...w.outcomes,
      [kind]: { at: NOW, ok: true, code: undefined, why: undefined, result: undefined, ...change },
    },
  });

/** A person's wish of this revision; the leader asks the routers for a pause. */
export const asked = (intent: number): RouteChange =>
  shown((c) => ({
    failover: {
      value: { leader: "n1", candidate: "n2", scheduledAt: undefined, scheduledAtMs: undefined },
      modRevision: intent,
    },
    members: c.members.map((m) => (m.name === "n1" ? { ...m, handingOver: intent } : m)),
  }));

export const leaderless: RouteChange = shown(() => ({ leader: undefined }));

export const ledBy = (name: string, term: number): RouteChange =>
  shown(() => ({ leader: { name, term, leaseId: "1" } }));
