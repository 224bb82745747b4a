// Does the checker of S20 ask no more of a member than could be known, and no less?
import { beforeEach, describe, expect, it } from "vitest";
import type { ServerPlan } from "../ports/postgres.ts";
import type { Checker } from "./checkers/checker.ts";
import { slotsKept } from "./checkers/slots-kept.ts";
import { agentOn, never, type Room, room } from "./testing.ts";
import { Workload } from "./workload.ts";

/** Slots are kept for 30 minutes when nobody asks otherwise. */
const TTL_MS = 1_800_000;
const PLAN: ServerPlan = { parameters: {}, pgHba: [], pgIdent: [], members: 10 };
const MEMBER = "/service/demo/members/n3";

describe("the slot of a member that has been away for long", () => {
  let r: Room;
  let checker: Checker;
  let said: string[];

  beforeEach(() => {
    r = room();
    said = [];
    checker = slotsKept({
      cluster: r.cluster,
      workload: new Workload(r.cluster, { clients: 0, everyMs: 1_000, largestRow: 0 }),
      holdMs: 20_000,
      maximumLag: 0,
      isSynchronous: false,
      violate: (rule) => said.push(rule),
    });
    shows(true);
    looks(0);
    shows(false);
    looks(1_000);
  });

  const looks = (at: number): void => checker.see?.({ kind: "look", host: "n1" }, at);
  const drops = (at: number): void =>
    checker.see?.({ kind: "slot-dropped", host: "n1", slot: "n3", isOurs: true }, at);
  const shows = (isThere: boolean): void => {
    const write = isThere
      ? ({ kind: "put", key: MEMBER, value: "{}" } as const)
      : ({ kind: "delete", key: MEMBER } as const);
    r.cluster.store.state.commit([], [write]);
  };

  it("may be dropped, and not a while sooner", () => {
    drops(TTL_MS - 60_000);
    expect(said).toEqual(["S20"]);
    drops(TTL_MS);
    expect(said).toEqual(["S20"]);
  });

  it("may be dropped when the member comes back after the look, and not when it came before", () => {
    looks(TTL_MS);
    shows(true);
    drops(TTL_MS + 1_500);
    expect(said).toEqual([]);
    looks(TTL_MS + 1_600);
    drops(TTL_MS + 1_700);
    expect(said).toEqual(["S20"]);
  });

  it("is kept for one that came back while the store answered nobody for long", () => {
    looks(TTL_MS - 60_000);
    r.cluster.store.setUp(0, false);
    agentOn(r, "n3");
    looks(TTL_MS - 1_000);
    r.cluster.store.setUp(0, true);
    looks(TTL_MS + 1_000);
    drops(TTL_MS + 1_010);
    expect(said).toEqual(["S20"]);
  });

  it("is kept for a primary that lives on without its key, and not for one that nobody is left to end", async () => {
    const { host, process, fence, postgres } = agentOn(r, "n3");
    await r.drive(fence.ensure(never()));
    await r.drive(postgres.initialise(PLAN, () => undefined, never()));
    await r.drive(postgres.startPrimary(PLAN, 10_000, never()));
    process.pause();
    host.fence?.process.pause();
    expect(host.server.canAcknowledge()).toBe(true);
    looks(TTL_MS - 2_000);
    looks(TTL_MS - 500);
    drops(TTL_MS);
    expect(said).toEqual([]);
    process.resume();
    looks(TTL_MS + 1_000);
    looks(TTL_MS + 2_000);
    drops(TTL_MS + 2_500);
    expect(said).toEqual(["S20"]);
  });
});
