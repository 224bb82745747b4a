import { describe, expect, it } from "vitest";
import { lsn } from "../model/lsn.ts";
import { FIRST_BRANCH } from "../model/timeline.ts";
import type { ServerPlan, Upstream } from "../ports/postgres.ts";
import type { ServerProfile } from "./run.ts";
import { agentOn, never, type Room, room } from "./testing.ts";
import { contains } from "./wal.ts";

const PLAN: ServerPlan = { parameters: {}, pgHba: [], pgIdent: [], members: 10 };
const from = (name: string): Upstream => ({
  member: name,
  host: name,
  port: 5432,
  slot: undefined,
});

/** n1 is a primary, the others stream from it. */
async function threeServers(profile: Partial<ServerProfile> = {}) {
  const r = room(3, profile);
  const agents = ["n1", "n2", "n3"].map((name) => agentOn(r, name));
  const [a, b, c] = agents;
  if (a === undefined || b === undefined || c === undefined) throw new Error("three");
  for (const agent of agents) await r.drive(agent.fence.ensure(never()));
  await r.drive(a.postgres.initialise(PLAN, () => undefined, never()));
  await r.drive(a.postgres.recordLineage([FIRST_BRANCH], never()));
  await r.drive(a.postgres.startPrimary(PLAN, 10_000, never()));
  for (const s of [b, c]) {
    await r.drive(s.postgres.clone(from("n1"), [FIRST_BRANCH], () => undefined, never()));
    await r.drive(s.postgres.startStandby(PLAN, from("n1"), 10_000, never()));
  }
  await r.pass(3_000);
  return { r, a, b, c };
}

const write = async (r: Room, name: string, bytes = 200) => {
  const { server } = r.cluster.host(name);
  const run = server.run;
  let end = 0;
  if (run !== undefined)
    server.insert(run, bytes, (at) => {
      end = at;
    });
  await r.pass(100);
  return end;
};
/** Slow enough for a test to look between writing and flushing. */
const SLOW_DISK = { flushMs: 300 };

/** n2 has written a record of n1 and has not flushed it. */
async function writtenAndNotFlushed() {
  const three = await threeServers(SLOW_DISK);
  const { r, a, b } = three;
  const { server } = a.host;
  if (server.run !== undefined) server.insert(server.run, 500, () => undefined);
  await r.pass(SLOW_DISK.flushMs + 5);
  const { data } = b.host.server;
  if (data === undefined) throw new Error("data");
  expect(data.end).toBeGreaterThan(data.flushed);
  return { ...three, data, end: data.end };
}

const branch = (timeline: number, term: number) => ({ timeline, parent: 1, forkLsn: lsn(0), term });

describe("a simulated server", () => {
  it("streams what is flushed, and its standbys report it", async () => {
    const { r, a, b } = await threeServers();
    const end = await write(r, "n1");
    expect(b.host.server.data?.flushed).toBe(end);
    const look = await r.drive(a.postgres.observe(PLAN, 1_000));
    expect(
      look.sql.kind === "known" && look.sql.value.senders.map((s) => Number(s.flushLsn)),
    ).toEqual([end, end]);
  });

  it("keeps written rows through a crash of its processes, and drops unflushed ones with the power", async () => {
    const { r, a } = await threeServers();
    const end = await write(r, "n1");
    const { server } = a.host;
    if (server.run !== undefined) server.insert(server.run, 500, () => undefined);
    a.host.powerOff();
    expect(server.data?.end).toBe(end);
    expect(server.run).toBeUndefined();
  });

  it("makes what a dead process had written durable before it recovers", async () => {
    const { r, b, data, end } = await writtenAndNotFlushed();
    b.host.server.killEveryProcess();
    await r.pass(10);
    expect(b.host.server.run).toBeUndefined();
    await r.drive(b.postgres.startStandby(PLAN, from("n1"), 10_000, never()));
    b.host.powerOff();
    expect(data.end).toBe(end);
  });

  it("has flushed what one walreceiver has written before the next one streams", async () => {
    const { r, b, data, end } = await writtenAndNotFlushed();
    await r.drive(b.postgres.follow(from("n1"), never()));
    await r.pass(20);
    expect(b.host.server.run?.receiver?.isStreaming()).toBe(true);
    expect(data.flushed).toBe(end);
  });

  it("chooses its timeline itself: two promotions from one point share a number, not a history", async () => {
    const { r, b, c } = await threeServers();
    r.cluster.host("n1").powerOff();
    await r.drive(b.postgres.promote(branch(2, 11), 5_000, never()));
    await r.drive(c.postgres.promote(branch(2, 12), 5_000, never()));
    const [x, y] = [b.host.server.data, c.host.server.data];
    expect([x?.branch.timeline, y?.branch.timeline]).toEqual([2, 2]);
    expect(x?.branch).not.toBe(y?.branch);
  });

  it("follows by number alone, and the truth board hears of wrong rows", async () => {
    const { r, b, c } = await threeServers();
    r.cluster.host("n1").powerOff();
    await r.drive(b.postgres.promote(branch(2, 11), 5_000, never()));
    await r.drive(c.postgres.promote(branch(2, 12), 5_000, never()));
    await r.drive(c.postgres.stop(5_000, undefined, never()));
    await write(r, "n2", 5_000);
    await r.drive(c.postgres.rewind(from("n2"), [], () => undefined, never())); // "no rewind required"
    await r.drive(c.postgres.startStandby(PLAN, from("n2"), 5_000, never()));
    await r.pass(3_000);
    expect(r.heard.some((t) => t.kind === "wrong-rows" && t.host === "n3")).toBe(true);
  });

  it("takes the reserved number by placeholders for those before it", async () => {
    const { r, b } = await threeServers();
    const begun = await r.drive(b.postgres.promote(branch(5, 11), 5_000, never()));
    expect([begun.timeline, b.host.server.data?.branch.timeline]).toEqual([5, 5]);
  });

  it("refuses to start beside orphans, which go on committing", async () => {
    const { r, a } = await threeServers();
    const { server } = a.host;
    if (server.run !== undefined) server.run.longBackends = 2;
    server.killPostmaster();
    const before = server.data?.end ?? 0;
    const end = await write(r, "n1");
    expect(end).toBeGreaterThan(before);
    expect(server.canAcknowledge()).toBe(true);
    const look = await r.drive(a.postgres.observe(PLAN, 1_000));
    expect(look.process.kind).toBe("orphans");
    await expect(r.drive(a.postgres.startPrimary(PLAN, 1_000, never()))).rejects.toThrow(
      "still there",
    );
    await r.drive(a.fence.killServer(300, 5_000, never()));
    expect(server.run).toBeUndefined();
  });

  it("waits at a fast stop for standbys that are silent, and the adapter bounds the wait", async () => {
    const { r, a } = await threeServers();
    r.cluster.network.cut("n2", "n1");
    await write(r, "n1");
    const began = r.cluster.kernel.now;
    let final = 0n;
    const told = (end: bigint) => {
      final = end;
      return Promise.resolve();
    };
    await r.drive(a.postgres.stop(10_000, told, never()));
    expect(Number(final)).toBe(a.host.server.data?.end);
    expect(a.host.server.data?.control.state).toBe("shut down");
    expect(r.cluster.kernel.now - began).toBeLessThan(2_000);
  });

  it("leaves a marked directory when the agent dies in a rewind, and a good one after a failed clone", async () => {
    const { r, a, b, c } = await threeServers();
    await r.drive(b.postgres.promote(branch(2, 11), 5_000, never()));
    await r.drive(a.postgres.stop(5_000, undefined, never()));
    void a.postgres.rewind(from("n2"), [], () => undefined, never()).catch(() => undefined);
    await r.pass(300);
    a.process.kill();
    expect(a.host.disk.directoryState()).toBe("marked");
    await r.drive(c.postgres.stop(5_000, undefined, never()));
    const cloning = c.postgres.clone(from("n2"), [], () => undefined, never());
    await r.pass(300);
    b.host.powerOff();
    await expect(r.drive(cloning)).rejects.toThrow("cloning");
    expect(c.host.disk.directoryState()).toBe("data");
  });

  it("tells a history from another of the same number", async () => {
    const { r, a, b } = await threeServers();
    r.cluster.network.cut("n1", "n2");
    const lost = await write(r, "n1");
    await r.drive(b.postgres.promote(branch(2, 11), 5_000, never()));
    const [old, fresh] = [a.host.server.data, b.host.server.data];
    if (old === undefined || fresh === undefined) throw new Error("data");
    expect(contains(fresh.branch, fresh.end, old.branch, lost)).toBe(false);
    expect(contains(fresh.branch, fresh.end, old.branch, fresh.branch.forkAt)).toBe(true);
  });
});
