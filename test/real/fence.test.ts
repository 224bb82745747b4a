// The dead man's switch with a real server: every last backend ends, whoever dies first.

import { readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readProcess } from "../../src/adapters/system/process-list.ts";
import { after } from "../../src/model/time.ts";
import type { FenceEvent } from "../../src/ports/fence.ts";
import { clock, FenceStage, signal, until } from "./fence-stage.ts";

/** What the whole of the fence may weigh: the promise is for Node 20, later ones are larger themselves. */
const FENCE_RSS_LIMIT_KB = (process.versions.node.startsWith("20.") ? 45 : 58) * 1024;
const KILL_LIMIT_MS = 10_000;
const GRACE_MS = 300;
const LONG_MS = 60_000;

let stage: FenceStage;
beforeEach(async () => {
  stage = await FenceStage.open();
});
afterEach(async () => {
  await stage[Symbol.asyncDispose]();
});

describe("the fence as parent of the server", () => {
  it("starts it as its child with no privileges of its own, and reports its exit", async () => {
    const fence = stage.client();
    const events: FenceEvent[] = [];
    fence.onEvent((event) => events.push(event));
    await fence.ensure(signal());
    const { pid } = await fence.startServer(stage.command(), signal());
    await stage.serverAnswers();
    expect(readProcess(pid)?.ppid).toBe(stage.fencePid());
    expect(fence.status()).toMatchObject({ alive: true, serverPid: pid, armed: undefined });
    for (const { pid: each } of stage.look().processes) {
      expect(readFileSync(`/proc/${each}/oom_score_adj`, "utf8").trim()).toBe("0");
      expect(readFileSync(`/proc/${each}/stat`, "latin1").split(") ")[1]?.split(" ")[16]).toBe(
        String(getPriority()),
      );
    }
    await expect(fence.quit(signal())).rejects.toMatchObject({ code: "NOT_POSSIBLE" });
    await expect(fence.startServer(stage.command(), signal())).rejects.toMatchObject({
      code: "PG_START_FAILED",
    });
    expect(await fence.killServer(GRACE_MS, KILL_LIMIT_MS, signal())).toEqual({
      down: true,
      remaining: 0,
    });
    await until("the exit is reported", () => events.length > 0);
    expect(events).toEqual([expect.objectContaining({ kind: "server-exit", pid })]);
    expect(stage.fenceWeightKb()).toBeLessThanOrEqual(FENCE_RSS_LIMIT_KB);
    await fence.quit(signal());
    await until("the fence has left", () => !stage.hasFence());
  });

  it("takes the server down when it is killed itself", async () => {
    const fence = stage.client();
    const events: FenceEvent[] = [];
    fence.onEvent((event) => events.push(event));
    await fence.ensure(signal());
    await fence.startServer(stage.command(), signal());
    await stage.serverAnswers();
    await stage.busySession();
    const pid = stage.fencePid();
    process.kill(pid, "SIGKILL");
    await until("the server is down", () => stage.look().isDown);
    await until("the loss is noticed", () => !fence.status().alive);
    expect(events).toContainEqual({ kind: "lost" });
    // A new one is started on demand and starts a server again.
    await fence.ensure(signal());
    expect(stage.fencePid()).not.toBe(pid);
    await fence.startServer(stage.command(), signal());
    await stage.serverAnswers();
  });

  it("takes the server down when it is killed together with the agent", async () => {
    const agent = await stage.agent(7, LONG_MS);
    await stage.serverAnswers();
    await stage.busySession();
    agent.kill("SIGKILL");
    process.kill(stage.fencePid(), "SIGKILL");
    await until("the server is down", () => stage.look().isDown);
    expect(stage.hasFence()).toBe(false);
  });

  it("takes the server down when it is told to end", async () => {
    const fence = stage.client();
    await fence.ensure(signal());
    await fence.startServer(stage.command(), signal());
    await stage.serverAnswers();
    process.kill(stage.fencePid(), "SIGHUP");
    await fence.disarm(signal());
    process.kill(stage.fencePid(), "SIGTERM");
    await until("the fence has left", () => !stage.hasFence());
    expect(stage.look().isDown).toBe(true);
  });
});

describe("the deadline", () => {
  it.each([
    ["killed", "SIGKILL"],
    ["stopped", "SIGSTOP"],
  ] as const)("ends a looping procedure too after the agent was %s", async (_, end) => {
    const agent = await stage.agent(7, 4000);
    await stage.serverAnswers();
    await stage.busySession();
    agent.kill(end);
    await until("the server is down", () => stage.look().isDown);
    const fence = stage.client();
    await fence.ensure(signal());
    // The server was asked to stop before the deadline, which stands until it is over.
    await until("the deadline is over", () => fence.status().armed === undefined);
    expect(fence.status()).toMatchObject({ alive: true, leaseId: "4711" });
  });

  it("is told to the server a moment before, so that it ends in order", async () => {
    const fence = stage.client();
    const events: FenceEvent[] = [];
    fence.onEvent((event) => events.push(event));
    await fence.ensure(signal());
    await fence.startServer(stage.command(), signal());
    await stage.serverAnswers();
    await fence.arm(3, after(clock.now(), 2000), signal());
    await until("the server has ended", () => events.length > 0);
    expect(readFileSync(stage.command().logFile, "utf8")).toContain(
      "received fast shutdown request",
    );
  });

  it("ends a server whose postmaster is stopped, and tells the agent", async () => {
    const fence = stage.client();
    const events: FenceEvent[] = [];
    fence.onEvent((event) => events.push(event));
    await fence.ensure(signal());
    const { pid } = await fence.startServer(stage.command(), signal());
    await stage.serverAnswers();
    await stage.busySession();
    process.kill(pid, "SIGSTOP");
    await fence.arm(3, after(clock.now(), 500), signal());
    await until("the server is down", () => stage.look().isDown);
    await until("both events came", () => events.length >= 2);
    expect(events[0]).toEqual({ kind: "fired", term: 3 });
    expect(events[1]).toMatchObject({ kind: "server-exit", pid });
  });

  it("spares a server for which it is moved in time, and one that was disarmed", async () => {
    const fence = stage.client();
    await fence.ensure(signal());
    await fence.startServer(stage.command(), signal());
    await stage.serverAnswers();
    const first = after(clock.now(), 2000);
    await fence.arm(5, first, signal());
    await fence.arm(5, after(clock.now(), LONG_MS), signal());
    await expect(fence.arm(4, after(clock.now(), LONG_MS), signal())).rejects.toMatchObject({
      code: "FENCE_UNARMED",
    });
    await until("the first deadline is over", () => clock.now() > after(first, 300));
    expect(fence.status().armed?.term).toBe(5);
    expect(stage.sql("select 1")).toBe("1");
    const second = after(clock.now(), 2000);
    await fence.arm(5, second, signal());
    await fence.disarm(signal());
    await until("the second deadline is over", () => clock.now() > after(second, 300));
    expect(stage.sql("select 1")).toBe("1");
    await expect(fence.arm(6, clock.now(), signal())).rejects.toMatchObject({
      code: "FENCE_UNARMED",
    });
  });
});

describe("agents that come and go", () => {
  it("lets a restarted agent take up lease, deadline and server where they stand", async () => {
    const agent = await stage.agent(7, LONG_MS);
    await stage.serverAnswers();
    const [postmaster] = stage.look().processes;
    agent.kill("SIGKILL");
    const fence = stage.client();
    await fence.ensure(signal());
    expect(fence.status()).toMatchObject({
      alive: true,
      leaseId: "4711",
      armed: { term: 7 },
      serverPid: postmaster?.pid,
    });
    await fence.arm(7, after(clock.now(), LONG_MS), signal());
    expect(stage.sql("select 1")).toBe("1");
  });

  it("obeys only the newest of two", async () => {
    const older = stage.client();
    await older.ensure(signal());
    const newer = stage.client();
    await newer.ensure(signal());
    await until("the older one knows", () => !older.status().alive);
    const refused = { code: "NAME_IN_USE" };
    await expect(older.arm(9, after(clock.now(), LONG_MS), signal())).rejects.toMatchObject(
      refused,
    );
    await expect(older.ensure(signal())).rejects.toMatchObject(refused);
    await expect(older.killServer(0, 1000, signal())).rejects.toMatchObject(refused);
    await newer.arm(8, after(clock.now(), LONG_MS), signal());
    expect(newer.status().armed?.term).toBe(8);
  });
});

describe("ending a server on demand", () => {
  it("ends an orphan that goes on committing after its postmaster was killed", async () => {
    const fence = stage.client();
    await fence.ensure(signal());
    const { pid } = await fence.startServer(stage.command(), signal());
    await stage.serverAnswers();
    await stage.busySession();
    process.kill(pid, "SIGKILL");
    await until("only the orphan is left", () => {
      const { processes, postmaster } = stage.look();
      return postmaster === undefined && processes.length === 1;
    });
    await expect(fence.startServer(stage.command(), signal())).rejects.toMatchObject({
      code: "PG_START_FAILED",
    });
    const report = await fence.killServer(GRACE_MS, KILL_LIMIT_MS, signal());
    expect(report).toEqual({ down: true, remaining: 0 });
    expect(stage.look()).toMatchObject({ attached: 0, isDown: true });
  });

  it("is done by the agent itself while the fence is frozen, and a new fence takes over", async () => {
    const fence = stage.client();
    await fence.ensure(signal());
    await fence.startServer(stage.command(), signal());
    await stage.serverAnswers();
    await fence.arm(2, after(clock.now(), LONG_MS), signal());
    const frozen = stage.fencePid();
    process.kill(frozen, "SIGSTOP");
    const report = await fence.killServer(GRACE_MS, KILL_LIMIT_MS, signal());
    expect(report.down).toBe(true);
    expect(fence.status()).toMatchObject({ alive: false, armed: { term: 2 } });
    await fence.ensure(signal());
    expect(stage.fencePid()).not.toBe(frozen);
    expect(fence.status()).toMatchObject({ alive: true, armed: undefined });
    await fence.startServer(stage.command(), signal());
    await stage.serverAnswers();
  });
});
