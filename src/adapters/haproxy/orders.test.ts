// What is said to HAProxy for a plan: closing before opening, nothing when nothing changed.
import { describe, expect, it } from "vitest";
import type { RoutePlan, Target } from "../../model/route.ts";
import { closeOrders, planOrders, waitOrders } from "./orders.ts";
import { NOBODY } from "./render.ts";
import type { Slot } from "./state.ts";

const member = (n: number): Target => ({
  name: `n${n}`,
  host: `10.0.0.${n}`,
  port: 5432,
  api: { host: `10.0.0.${n}`, port: 8008 },
});
const reads = (n: number, state: "ready" | "drain" = "ready") => ({ ...member(n), state });
const PLAN: RoutePlan = {
  term: 3,
  write: member(1),
  reads: [reads(2), reads(3)],
  reports: [reads(2), reads(3)],
};
const NO_NEWS = { isNewTarget: false };
const NEWS = { isNewTarget: true };

const slot = (place: string, n?: number, more: Partial<Slot> = {}): Slot => {
  const [route = "", name = ""] = place.split("/");
  const address = n === undefined ? NOBODY : { host: `10.0.0.${n}`, port: 5432 };
  const check = n === undefined ? NOBODY : { host: `10.0.0.${n}`, port: 8008 };
  const admin = n === undefined ? "maint" : "ready";
  return { route, name, address, check, admin, isUp: n !== undefined, ...more };
};
const asleep = { isUp: false } as const;

describe("the write route", () => {
  it("opens the primary and lets standbys sleep until their checks wake them", () => {
    const empty = [slot("write/s1"), slot("write/s2"), slot("write/s3"), slot("write/s4")];
    expect(planOrders(empty, PLAN, NEWS)).toEqual([
      "set server write/s1 addr 10.0.0.1 port 5432",
      "set server write/s1 check-addr 10.0.0.1 port 8008",
      "set server write/s1 state ready",
      "set server write/s2 addr 10.0.0.2 port 5432",
      "set server write/s2 check-addr 10.0.0.2 port 8008",
      "set server write/s2 state ready",
      "set server write/s2 health down",
      "set server write/s3 addr 10.0.0.3 port 5432",
      "set server write/s3 check-addr 10.0.0.3 port 8008",
      "set server write/s3 state ready",
      "set server write/s3 health down",
    ]);
  });

  const settled = [
    slot("write/s1", 1),
    slot("write/s2", 2, asleep),
    slot("write/s3", 3, asleep),
    slot("write/s4"),
  ];
  const SWITCHED: RoutePlan = { ...PLAN, term: 4, write: member(2), reads: [reads(1), reads(3)] };

  it("sends who comes in while nobody leads where he is tried again, until somebody serves", () => {
    const room = slot("write/waiting");
    expect(waitOrders([...settled, room])).toEqual([
      "set server write/waiting state ready",
      "set server write/s1 health down",
      "shutdown sessions server write/s1",
    ]);
    const isOpen = { ...room, admin: "ready", isUp: true } as const;
    const waiting = [slot("write/s1", 1, asleep), ...settled.slice(1), isOpen];
    expect(waitOrders(waiting)).toEqual([]);
    expect(planOrders(waiting, PLAN, NO_NEWS), "a check may know better").toEqual([]);
    expect(planOrders(waiting, SWITCHED, NEWS)).toEqual([
      "set server write/s2 health up",
      "set server write/waiting state maint",
    ]);
  });

  it("says nothing when nothing changed", () => {
    expect(planOrders(settled, PLAN, NO_NEWS)).toEqual([]);
  });

  it("shuts everybody out while the cluster follows another site", () => {
    const readOnly: RoutePlan = { ...PLAN, write: undefined, isReadOnly: true };
    expect(planOrders(settled.slice(0, 1), readOnly, NO_NEWS)).toEqual([
      "set server write/s1 state maint",
      "shutdown sessions server write/s1",
    ]);
  });

  it("shuts the old primary out before the new one is woken, and lets it sleep in the next round", () => {
    expect(planOrders(settled, { ...SWITCHED, reports: [] }, NEWS)).toEqual([
      "set server write/s1 state maint",
      "shutdown sessions server write/s1",
      "set server write/s2 health up",
    ]);
    const after = [
      slot("write/s1", 1, { admin: "maint", isUp: false }),
      slot("write/s2", 2),
      slot("write/s3", 3, asleep),
    ];
    expect(planOrders(after, { ...SWITCHED, reports: [] }, NO_NEWS)).toEqual([
      "set server write/s1 state ready",
      "set server write/s1 health down",
    ]);
  });

  it("leaves an old primary that is nobody's standby in maintenance", () => {
    const alone: RoutePlan = { ...SWITCHED, reads: [reads(3)], reports: [] };
    const after = [
      slot("write/s1", 1, { admin: "maint", isUp: false }),
      slot("write/s2", 2),
      slot("write/s3", 3, asleep),
    ];
    expect(planOrders(after, alone, NO_NEWS)).toEqual([]);
  });

  it("believes a check that has found another primary, until there is news", () => {
    const woken = [slot("write/s1", 1, asleep), slot("write/s2", 2), slot("write/s3", 3, asleep)];
    expect(planOrders(woken, PLAN, NO_NEWS)).toEqual([]);
  });

  it("stays as it is while nobody is known to take writes", () => {
    expect(planOrders(settled, { ...PLAN, write: undefined }, NO_NEWS)).toEqual([]);
  });

  it("is closed as a whole", () => {
    expect(closeOrders([...settled, slot("read/s1", 2)])).toEqual(
      [1, 2, 3].flatMap((n) => [
        `set server write/s${n} state maint`,
        `shutdown sessions server write/s${n}`,
      ]),
    );
  });

  it("refuses more members than it has places for", () => {
    expect(() => planOrders([slot("write/s1", 1)], PLAN, NO_NEWS)).toThrow(/places/);
  });
});

describe("the other routes", () => {
  it("drain a standby that lags, and close one that has gone, without cutting anybody", () => {
    const slots = [slot("read/s1", 2), slot("read/s2", 3)];
    const plan: RoutePlan = { ...PLAN, reads: [reads(2, "drain")], reports: [] };
    expect(planOrders(slots, plan, NO_NEWS)).toEqual([
      "set server read/s2 state maint",
      "set server read/s1 state drain",
    ]);
  });

  it("give a place in maintenance to a newcomer", () => {
    const slots = [slot("read/s1", 2, { admin: "maint" }), slot("read/s2", 3)];
    const plan: RoutePlan = { ...PLAN, reads: [reads(3), reads(4)], reports: [] };
    expect(planOrders(slots, plan, NO_NEWS)).toEqual([
      "set server read/s1 addr 10.0.0.4 port 5432",
      "set server read/s1 check-addr 10.0.0.4 port 8008",
      "set server read/s1 state ready",
    ]);
  });

  it("keep dedicated report standbys apart from those that stand in", () => {
    const slots = [slot("report/s1"), slot("report/b1")];
    const plan: RoutePlan = { ...PLAN, reads: [reads(2)], reports: [reads(3)] };
    const orders = planOrders(slots, plan, NO_NEWS);
    expect(orders).toContain("set server report/s1 addr 10.0.0.3 port 5432");
    expect(orders).toContain("set server report/b1 addr 10.0.0.2 port 5432");
  });
});
