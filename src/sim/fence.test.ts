import { describe, expect, it } from "vitest";
import { PARTING_MS } from "../model/lease.ts";
import { after } from "../model/time.ts";
import type { ServerPlan } from "../ports/postgres.ts";
import { agentOn, never, type Room, room } from "./testing.ts";

const PLAN: ServerPlan = { parameters: {}, pgHba: [], pgIdent: [], members: 10 };

async function primary(): Promise<{ r: Room; a: ReturnType<typeof agentOn> }> {
  const r = room(1);
  const a = agentOn(r, "n1");
  await r.drive(a.fence.ensure(never()));
  await r.drive(a.postgres.initialise(PLAN, () => undefined, never()));
  await r.drive(a.postgres.startPrimary(PLAN, 10_000, never()));
  return { r, a };
}
const canAcknowledge = (r: Room) => r.cluster.host("n1").server.canAcknowledge();

describe("the simulated fence", () => {
  it("ends the server at its deadline although the agent is stopped", async () => {
    const { r, a } = await primary();
    await r.drive(a.fence.arm(5, after(a.clock.now(), 2_000), never()));
    a.process.pause();
    await r.pass(2_000 - PARTING_MS - 10);
    expect(canAcknowledge(r)).toBe(true);
    await r.pass(1_900);
    expect(canAcknowledge(r)).toBe(false);
    expect(r.heard.some((t) => t.kind === "fence-fired" && t.term === 5)).toBe(true);
  });

  it("is put off by arming again, and called off by disarming", async () => {
    const { r, a } = await primary();
    await r.drive(a.fence.arm(5, after(a.clock.now(), 2_000), never()));
    await r.pass(1_500);
    await r.drive(a.fence.arm(5, after(a.clock.now(), 2_000), never()));
    await r.pass(1_500);
    expect(canAcknowledge(r)).toBe(true);
    await r.drive(a.fence.disarm(never()));
    await r.pass(10_000);
    expect(canAcknowledge(r)).toBe(true);
  });

  it("keeps its deadline for a new agent, which takes over from the old one", async () => {
    const { r, a } = await primary();
    await r.drive(a.fence.arm(5, after(a.clock.now(), 5_000), never()));
    await r.drive(a.fence.adopt("42", never()));
    const b = agentOn(r, "n1");
    await r.drive(b.fence.ensure(never()));
    expect(b.fence.status()).toMatchObject({ alive: true, leaseId: "42", armed: { term: 5 } });
    await expect(r.drive(a.fence.arm(6, after(a.clock.now(), 9_000), never()))).rejects.toThrow(
      "fence",
    );
    expect(r.cluster.host("n1").fence?.armed?.term).toBe(5);
  });

  it("takes the server down with it", async () => {
    const { r, a } = await primary();
    let lost = 0;
    a.fence.onEvent((event) => {
      if (event.kind === "lost") lost += 1;
    });
    r.cluster.host("n1").fence?.process.kill();
    await r.pass(6_000);
    expect(canAcknowledge(r)).toBe(false);
    expect([lost, a.fence.status().alive]).toEqual([1, false]);
  });

  it("is replaced when it is silent for half a second", async () => {
    const { r, a } = await primary();
    const old = r.cluster.host("n1").fence;
    old?.process.pause();
    await r.pass(2_000);
    expect(a.fence.status().alive).toBe(false);
    await r.drive(a.fence.ensure(never()));
    expect(old?.process.isAlive).toBe(false);
    expect(a.fence.status()).toMatchObject({ alive: true, armed: undefined });
  });

  it("kills a frozen server by force", async () => {
    const { r, a } = await primary();
    r.cluster.host("n1").server.setFrozen(true);
    const report = await r.drive(a.fence.killServer(300, 5_000, never()));
    expect(report.down).toBe(true);
  });
});
