// Where do clients go in this world, and for how long do they wait?
import { describe, expect, it } from "vitest";
import {
  asked,
  leaderless,
  ledBy,
  lostFor,
  outcome,
  pausedFor,
  type RouteChange,
  remembering,
  routing,
  shown,
  told,
  unreadFor,
} from "../../../test/support/route-world.ts";
import { following, given, NOW, peerSays, TERM } from "../../../test/support/world.ts";
import { known } from "../../model/known.ts";
import { ROUTE_REASONS, type RouteReason } from "../../model/route-reason.ts";
import type { HaproxySettings } from "../../model/router-settings.ts";
import { after, type Ms } from "../../model/time.ts";
import { decide } from "./decide.ts";
import type { RouteWorld } from "./world.ts";

/** n2 answers for itself. */
const says =
  (change: object): RouteChange =>
  (w) => {
    const peer = given(following(), peerSays("n3")).peers["n3"];
    if (peer?.kind !== "known") throw new Error("n3 answers");
    const value = { ...peer.value, name: "n2", role: "primary", ...change } as const;
    return { ...w, leaderSays: known(value, NOW) };
  };

const at = (port: number) => ({ host: "10.0.0.8", port });
const HAPROXY: HaproxySettings = {
  bin: "haproxy",
  dir: "/run",
  write: at(5000),
  read: undefined,
  report: undefined,
  stats: undefined,
  balance: "roundrobin",
  maxConn: 100,
};
const INTENT = 400;
const busy = remembering({ answer: { kind: "busy", intent: INTENT, blockers: ["app@10.0.0.9"] } });
const held = remembering({ answer: { kind: "held", intent: INTENT } });
const askedPause = pausedFor(100, { cause: { kind: "asked", intent: INTENT } });
const stopping: RouteChange = (w) => ({ ...w, stopping: true });

/** n1 still leads, and follows another site. */
const followsSite = shown((c) => ({
  members: c.members.map((m) => (m.name === "n1" ? { ...m, role: "standby leader" } : m)),
}));
const readOnly: RouteChange = (w) => {
  const { applied } = w.memory;
  if (applied === undefined) throw new Error("a plan is applied");
  return remembering({ applied: { ...applied, write: undefined, isReadOnly: true } })(w);
};

/** A world for each reason. */
const reached: Readonly<Record<RouteReason, RouteWorld>> = {
  routing: routing(),
  route_reading: routing(followsSite, readOnly),
  route_stopping: routing(stopping),
  route_store_unread: routing(unreadFor(1_000)),
  route_closing: routing(unreadFor(30_000), told({ onStoreLoss: "close" })),
  route_closed: routing(
    unreadFor(31_000),
    told({ onStoreLoss: "close" }),
    remembering({ closed: true }),
  ),
  route_holding: routing(asked(INTENT)),
  route_held: routing(asked(INTENT), held, askedPause),
  route_busy: routing(asked(INTENT), busy, askedPause),
  route_cutting_blockers: routing(asked(INTENT), busy, askedPause, told({ drainPolicy: "cut" })),
  route_suspecting: routing(lostFor(3)),
  route_suspected: routing(lostFor(100), pausedFor(100)),
  route_waiting_for_primary: routing(ledBy("n2", 200), pausedFor(100)),
  route_pointing: routing(ledBy("n2", 200), pausedFor(100), says({})),
  route_cutting_old: routing(remembering({ gone: { name: "n9", host: "n9", port: 5432 } })),
  route_releasing: routing(pausedFor(100), says({ name: "n1" })),
};

const stepOf = (w: RouteWorld) => decide(w).step;

it.each(Object.keys(ROUTE_REASONS) as RouteReason[])("%s", (reason) => {
  expect(decide(reached[reason]).because).toBe(reason);
});

describe("a new leader", () => {
  const waiting = routing(ledBy("n2", 200), pausedFor(100));

  it("is not pointed at before it has said itself that it takes writes", () => {
    expect(stepOf(waiting)).toBeUndefined();
    expect(stepOf(says({ role: "standby" })(waiting))).toBeUndefined();
    expect(stepOf(says({ state: "starting" })(waiting))).toBeUndefined();
    expect(stepOf(says({ name: "n3" })(waiting))).toBeUndefined();
    expect(stepOf(says({})(waiting))).toMatchObject({
      kind: "point",
      plan: { term: 200, write: { name: "n2" } },
      gone: { name: "n1" },
      thenRelease: true,
    });
  });

  it("lets clients go on once they are sent to it, and then those who hang on the old one are cut", () => {
    const gone = { name: "n1", host: "n1", port: 5432 };
    const { applied } = routing().memory;
    if (applied?.write === undefined) throw new Error("n1 is applied");
    const plan = { ...applied, term: 200, write: { ...applied.write, name: "n2" } };
    const result = { plan, gone, pointed: { kind: "pointed" }, releasedAt: NOW };
    const pointed = outcome("point", { result })(waiting);
    expect(stepOf(pointed)).toEqual({ kind: "cut-gone", target: gone });
    expect(decide(pointed).memory).toMatchObject({ pause: undefined, alarms: [] });
    const older = outcome("point", {
      result: { ...result, pointed: { kind: "older", term: 300 }, releasedAt: undefined },
    });
    expect(decide(older(waiting)).memory.applied?.term).toBe(TERM);
    expect(decide(older(waiting)).memory.pause).toBeDefined();
  });
});

describe("a balancer's clients", () => {
  const balances = told({ pgbouncer: undefined, haproxy: HAPROXY });

  it("wait once nobody leads and the server has ended, until another plan is in force", () => {
    const ended = routing(balances, leaderless, lostFor(50));
    expect(stepOf(ended)).toEqual({ kind: "wait" });
    const waiting = outcome("wait", {})(ended);
    expect(decide(waiting)).toMatchObject({
      upkeep: [{ kind: "publish" }],
      memory: { waits: true },
    });
    expect(stepOf(waiting)).toBeUndefined();
    const back = routing(balances, remembering({ waits: true }));
    expect(stepOf(back)).toMatchObject({ kind: "point", plan: { write: { name: "n1" } } });
  });

  it("keep their sessions while the server runs and only its leader's key is gone", () => {
    expect(stepOf(routing(balances, leaderless))).toBeUndefined();
    expect(stepOf(routing(balances, lostFor(50)))).toBeUndefined();
  });
});

describe("a leader that follows another site from now on, in the same term", () => {
  it("gets no more writers, and the readers of the others stay", () => {
    expect(stepOf(routing(followsSite))).toMatchObject({
      kind: "point",
      plan: {
        term: TERM,
        write: undefined,
        isReadOnly: true,
        reads: [{ name: "n2" }, { name: "n3" }],
      },
      gone: { name: "n1" },
    });
    expect(stepOf(routing(followsSite, readOnly))).toBeUndefined();
  });

  it("ends the pause of clients who waited for it, and is no trouble any more", () => {
    const lost = remembering({ trouble: { kind: "lost", since: after(NOW, -500) } });
    const { step, memory } = decide(routing(followsSite, readOnly, lost, pausedFor(500)));
    expect(step).toEqual({ kind: "release" });
    expect(memory.trouble).toBeUndefined();
  });

  it("is written to again once it has proved that it is a primary", () => {
    const promoted = routing(readOnly);
    expect(stepOf(promoted)).toBeUndefined();
    expect(stepOf(says({ name: "n1" })(promoted))).toMatchObject({
      kind: "point",
      plan: { term: TERM, write: { name: "n1" } },
    });
  });
});

describe("a pause that the leader asks for", () => {
  it("drains within the budget, and ends after the limit whatever happens", () => {
    expect(stepOf(routing(asked(INTENT)))).toEqual({
      kind: "hold",
      cause: { kind: "asked", intent: INTENT },
      term: TERM,
      drainMs: 2_000,
      limitMs: 17_000,
      announce: expect.objectContaining({
        because: "route_held",
        answer: { kind: "held", intent: INTENT },
      }) as unknown,
    });
    const late = pausedFor(0, { cause: { kind: "asked", intent: INTENT }, until: NOW });
    expect(decide(routing(asked(INTENT), held, late)).detail).toBe("waited too long");
  });

  it("does not begin anew for clients who wait already", () => {
    const waited = { until: after(NOW, 14_000) };
    const suspected = routing(asked(INTENT), pausedFor(1_000, waited));
    expect(stepOf(suspected)).toMatchObject({ kind: "hold", limitMs: 16_000 });
    const again = pausedFor(1_000, { ...waited, cause: { kind: "asked", intent: INTENT - 1 } });
    expect(stepOf(routing(asked(INTENT), again))).toMatchObject({ limitMs: 14_000 });
  });

  it("is told to the leader, with who stands in its way", () => {
    const { upkeep } = decide(routing(asked(INTENT), held, askedPause));
    expect(upkeep[0]).toMatchObject({ status: { answer: { kind: "held", intent: INTENT } } });
    const gaveUp = decide(routing(asked(INTENT), busy));
    expect(gaveUp.upkeep[0]).toMatchObject({ status: { answer: { kind: "busy" } } });
  });

  it("ends when the wish is taken back, and the answer with it", () => {
    const decision = decide(routing(held, askedPause));
    expect(decision.step).toEqual({ kind: "release" });
    expect(decision.memory.answer).toBeUndefined();
    expect(decide(routing(busy)).memory.answer, "people still ask who it was").toBeDefined();
    expect(decide(routing(busy, asked(INTENT + 1))).step).toMatchObject({ kind: "hold" });
  });

  it("lasts while nobody leads, and while the old primary comes back", () => {
    expect(stepOf(routing(held, askedPause, leaderless))).toBeUndefined();
    expect(stepOf(routing(held, askedPause, lostFor(50)))).toBeUndefined();
  });

  it("needs no pooler's word where there is none", () => {
    const w = routing(asked(INTENT), told({ pgbouncer: undefined }));
    expect(decide(w).memory.answer).toEqual({ kind: "held", intent: INTENT });
    expect(stepOf(w)).toBeUndefined();
  });

  it("that fails is not tried again at once", () => {
    const failed = outcome("hold", { ok: false, why: "no socket" });
    const decision = decide(routing(asked(INTENT), failed, pausedFor(100)));
    expect(decision.step).toBeUndefined();
    expect(decision.wakeAt).toBe(after(NOW, 300));
    expect(decide(routing(asked(INTENT), failed)).wakeAt, "nobody waits").toBe(after(NOW, 2_000));
  });
});

describe("a suspicion", () => {
  it("pauses clients when the connection breaks or nobody leads", () => {
    for (const change of [lostFor(1), leaderless, ledBy("n2", 200)])
      expect(stepOf(routing(change))).toMatchObject({ kind: "hold", cause: { kind: "suspected" } });
  });

  it("is over when the connection is back, or after two seconds with the same leader", () => {
    expect(stepOf(routing(pausedFor(100), says({ name: "n1" })))).toEqual({ kind: "release" });
    expect(stepOf(routing(lostFor(1_999), pausedFor(1_999)))).toBeUndefined();
    expect(stepOf(routing(lostFor(2_000), pausedFor(2_000)))).toEqual({ kind: "release" });
  });

  it("is not over while the leader says that its server, which is back, takes no writes", () => {
    const n1Says = (change: object) => routing(pausedFor(100), says({ name: "n1", ...change }));
    expect(decide(n1Says({ role: "standby" }))).toMatchObject({
      because: "route_suspected",
      wakeAt: after(NOW, 30),
    });
    expect(stepOf(n1Says({ state: "starting" }))).toBeUndefined();
    expect(stepOf(n1Says({}))).toEqual({ kind: "release" });
    // Its agent may have died with the word that it takes none.
    expect(stepOf(routing(pausedFor(100)))).toBeUndefined();
    const tooLong = routing(pausedFor(2_000), says({ name: "n1", role: "standby" }));
    expect(stepOf(tooLong)).toEqual({ kind: "release" });
  });

  it("that was false counts as an alarm, and the same trouble is none again", () => {
    const w = routing(
      lostFor(2_000),
      remembering({ trouble: { kind: "lost", since: after(NOW, -2_000) } }),
      pausedFor(2_000),
      outcome("release", {}),
    );
    const { memory, step } = decide(w);
    expect(memory.alarms).toEqual([{ at: NOW, waitedMs: 2_000 }]);
    expect(step).toBeUndefined();
  });

  it("pauses nobody who has waited for six seconds of the last minute already", () => {
    const ago = (ms: Ms, waitedMs = 2_000) => ({ at: after(NOW, -ms), waitedMs });
    const alarms = [ago(50_000), ago(30_000), ago(10_000)];
    expect(stepOf(routing(lostFor(1), remembering({ alarms })))).toBeUndefined();
    const older = [ago(60_000), ...alarms.slice(1)];
    expect(stepOf(routing(lostFor(1), remembering({ alarms: older })))).toBeDefined();
    // A server that was restarted in place again and again has cost its clients little.
    const short = [50, 40, 30, 20, 10].map((seconds) => ago(seconds * 1_000, 400));
    expect(stepOf(routing(lostFor(1), remembering({ alarms: short })))).toBeDefined();
  });
});

describe("a store that is unread for too long", () => {
  const closes = told({ onStoreLoss: "close" });
  const unguardedBy = (member: string): RouteChange =>
    shown(() => ({
      unguarded: {
        value: { member, term: TERM, sinceMs: 0, host: member, port: 5432, apiUrl: "" },
        modRevision: 9,
      },
    }));
  const thenUnread = (change: RouteChange): RouteWorld => {
    const { memory } = decide(routing(closes, change));
    return routing(closes, remembering(memory), unreadFor(30_000));
  };

  it("closes the doors, but not on a primary that a pause lets run without the store", () => {
    expect(stepOf(thenUnread(unguardedBy("n1")))).toBeUndefined();
    expect(decide(thenUnread(unguardedBy("n1"))).because).toBe("route_store_unread");
    expect(stepOf(thenUnread(unguardedBy("n2"))), "another's pause").toEqual({ kind: "close" });
    expect(stepOf(thenUnread((w) => w))).toEqual({ kind: "close" });
  });

  it("closes them when the pause was over before", () => {
    const { memory } = decide(routing(closes, unguardedBy("n1")));
    const over = decide(routing(closes, remembering(memory))).memory;
    expect(stepOf(routing(closes, remembering(over), unreadFor(30_000)))).toEqual({
      kind: "close",
    });
  });
});

describe("in a steady cluster", () => {
  it("writes nothing but the renewal of its lease, and keeps its programs", () => {
    const steady = decide(routing());
    const published = steady.upkeep.find(({ kind }) => kind === "publish");
    if (published?.kind !== "publish") throw new Error("it is not published yet");
    const w = routing(shown(() => ({ routers: [published.status] })));
    expect(decide(w).upkeep.map(({ kind }) => kind)).toEqual(["keep"]);
    const later = remembering({ leaseKeptAt: after(NOW, -4_000) })(w);
    expect(decide(later).upkeep.map(({ kind }) => kind)).toEqual(["keep-lease", "keep"]);
  });

  it("points anew when readers have to move, or when writes were refused before", () => {
    const fewer = shown((c) => ({ members: c.members.filter(({ name }) => name !== "n3") }));
    expect(stepOf(routing(fewer))).toMatchObject({ kind: "point", plan: { term: TERM } });
    expect(stepOf(routing(remembering({ closed: true })))).toMatchObject({ kind: "point" });
  });
});
