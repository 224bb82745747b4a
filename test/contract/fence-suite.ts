// What every dead man's switch promises, whoever plays it: the process beside the server or the simulator.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/model/error.ts";
import { PARTING_MS } from "../../src/model/lease.ts";
import { after, type Ms } from "../../src/model/time.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Fence, FenceEvent, ServerCommand } from "../../src/ports/fence.ts";

export interface FenceUnderTest {
  readonly clock: Pick<Clock, "now">;
  /** Another agent's end of the one fence of this host. */
  agent(): Fence;
  readonly command: ServerCommand;
  /** Is any process of the server left? Right after its start it may not be seen yet. */
  isServerDown(): boolean;
  /** Resolves when the server that was started answers. */
  serverAnswers(): Promise<void>;
  /** Stops every process of the server: it hears no signal that can be ignored. */
  freezeServer(): void;
  killFence(): void;
  pass(ms: Ms): Promise<void>;
  /** Nothing is left of server and fence: the next test begins anew. */
  reset(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const LONG_MS: Ms = 60_000;
const SHORT_MS: Ms = 1_500;
const KILL_MS: Ms = 10_000;
const GRACE_MS: Ms = 300;
const STEP_MS: Ms = 10;
const MOST_STEPS = 2_000;

const never = (): AbortSignal => new AbortController().signal;

export function fenceContract(name: string, make: () => Promise<FenceUnderTest>): void {
  describe(`${name} keeps a fence's promises`, () => {
    let stage: FenceUnderTest;
    let fence: Fence;
    let events: FenceEvent[];

    beforeAll(async () => {
      stage = await make();
    });
    afterAll(() => stage[Symbol.asyncDispose]());
    afterEach(() => stage.reset());
    beforeEach(async () => {
      fence = stage.agent();
      events = [];
      fence.onEvent((event) => events.push(event));
      await fence.ensure(never());
    });

    async function until(what: string, isTrue: () => boolean): Promise<void> {
      for (let n = 0; !isTrue(); n++) {
        if (n > MOST_STEPS) throw new Error(`waited in vain: ${what}`);
        await stage.pass(STEP_MS);
      }
    }
    const start = async () => {
      const started = await fence.startServer(stage.command, never());
      await stage.serverAnswers();
      return started;
    };
    const inMs = (ms: Ms) => after(stage.clock.now(), ms);

    it("lives after ensure, guards nothing and is armed for nothing", async () => {
      expect(fence.status()).toMatchObject({
        alive: true,
        armed: undefined,
        serverPid: undefined,
      });
      await fence.ensure(never());
      expect(fence.status().alive).toBe(true);
    });

    it("shows as armed exactly what it has acknowledged", async () => {
      const before = stage.clock.now();
      const deadline = inMs(LONG_MS);
      await fence.arm(3, deadline, never());
      const { armed, acknowledgedAt, roundTripMs } = fence.status();
      expect(armed).toEqual({ term: 3, until: deadline });
      expect(acknowledgedAt).toBeGreaterThanOrEqual(before);
      expect(roundTripMs).toBeGreaterThanOrEqual(0);
    });

    it("refuses an older term and a deadline that is over, and keeps what it has", async () => {
      const deadline = inMs(LONG_MS);
      await fence.arm(5, deadline, never());
      const refused = { code: "FENCE_UNARMED" };
      await expect(fence.arm(4, inMs(LONG_MS), never())).rejects.toMatchObject(refused);
      await expect(fence.arm(5, stage.clock.now(), never())).rejects.toMatchObject(refused);
      expect(fence.status().armed).toEqual({ term: 5, until: deadline });
    });

    it("starts one server, and reports its pid and its end", async () => {
      const { pid } = await start();
      expect(fence.status().serverPid).toBe(pid);
      await expect(start()).rejects.toMatchObject({ code: "PG_START_FAILED" });
      const report = await fence.killServer(GRACE_MS, KILL_MS, never());
      expect(report).toEqual({ down: true, remaining: 0 });
      expect(stage.isServerDown()).toBe(true);
      await until("the exit is told", () => events.length > 0);
      expect(events).toEqual([expect.objectContaining({ kind: "server-exit", pid })]);
      expect(fence.status().serverPid).toBeUndefined();
    });

    it("reports a server that is down already, and ends one that hears nothing", async () => {
      const nothing = await fence.killServer(GRACE_MS, KILL_MS, never());
      expect(nothing).toEqual({ down: true, remaining: 0 });
      await start();
      stage.freezeServer();
      const report = await fence.killServer(GRACE_MS, KILL_MS, never());
      expect(report).toEqual({ down: true, remaining: 0 });
      expect(stage.isServerDown()).toBe(true);
    });

    it("fires at the deadline and not before, and asks for a stop a moment earlier", async () => {
      await start();
      const deadline = inMs(SHORT_MS);
      await fence.arm(7, deadline, never());
      let firedAt = 0;
      fence.onEvent(({ kind }) => {
        if (kind === "fired") firedAt = stage.clock.now();
      });
      await until("the server is down", () => stage.isServerDown());
      expect(stage.clock.now()).toBeGreaterThanOrEqual(deadline - PARTING_MS);
      await until("both are told", () => events.length >= 2 && firedAt > 0);
      expect(firedAt).toBeGreaterThanOrEqual(deadline);
      expect(events).toContainEqual({ kind: "fired", term: 7 });
      expect(events).toContainEqual(expect.objectContaining({ kind: "server-exit" }));
      expect(fence.status().armed).toBeUndefined();
    });

    it("spares a server for which it was armed again, and one for which it was disarmed", async () => {
      await start();
      const first = inMs(SHORT_MS);
      await fence.arm(7, first, never());
      await fence.arm(7, inMs(LONG_MS), never());
      const second = inMs(SHORT_MS);
      await until("the first deadline is over", () => stage.clock.now() > first + GRACE_MS);
      expect(stage.isServerDown()).toBe(false);
      await fence.arm(7, inMs(SHORT_MS), never());
      await fence.disarm(never());
      expect(fence.status().armed).toBeUndefined();
      await until("the second is", () => stage.clock.now() > second + SHORT_MS + GRACE_MS);
      expect(stage.isServerDown()).toBe(false);
      expect(events).toEqual([]);
    });

    it("lets a server run without a deadline, whatever becomes of the agent, until it is armed again", async () => {
      await start();
      const first = inMs(SHORT_MS);
      await fence.arm(7, first, never());
      await fence.unguard(7, never());
      expect(fence.status()).toMatchObject({ armed: undefined, unguarded: 7 });
      const newer = stage.agent();
      await newer.ensure(never());
      expect(newer.status()).toMatchObject({ armed: undefined, unguarded: 7 });
      await until("the deadline is over", () => stage.clock.now() > first + GRACE_MS);
      expect(stage.isServerDown()).toBe(false);
      await newer.arm(8, inMs(SHORT_MS), never());
      expect(newer.status()).toMatchObject({ armed: { term: 8 }, unguarded: undefined });
      await until("the server is down", () => stage.isServerDown());
    });

    it("lets nothing go but a server under the deadline of that term, and forgets it with the server", async () => {
      const refused = { code: "FENCE_UNARMED" };
      await fence.arm(7, inMs(LONG_MS), never());
      await expect(fence.unguard(7, never())).rejects.toMatchObject(refused);
      await start();
      await expect(fence.unguard(6, never())).rejects.toMatchObject(refused);
      expect(fence.status().armed?.term).toBe(7);
      await fence.unguard(7, never());
      await fence.killServer(GRACE_MS, KILL_MS, never());
      await until("the exit is told", () => events.some(({ kind }) => kind === "server-exit"));
      await fence.ensure(never());
      expect(fence.status().unguarded).toBeUndefined();
    });

    it("keeps lease, deadline and server for a new agent, and the deadline still holds", async () => {
      const { pid } = await start();
      const deadline = inMs(SHORT_MS * 2);
      await fence.arm(7, deadline, never());
      await fence.adopt("4711", never());
      const newer = stage.agent();
      const heard: string[] = [];
      newer.onEvent(({ kind }) => heard.push(kind));
      await newer.ensure(never());
      expect(newer.status()).toMatchObject({
        alive: true,
        leaseId: "4711",
        armed: { term: 7, until: deadline },
        serverPid: pid,
      });
      await until("the server is down", () => stage.isServerDown());
      expect(stage.clock.now()).toBeGreaterThanOrEqual(deadline - PARTING_MS);
      await until("the newer one is told", () => heard.includes("fired"));
    });

    it("obeys only the newest of two agents, whatever the older one asks for", async () => {
      await fence.arm(7, inMs(LONG_MS), never());
      const newer = stage.agent();
      await newer.ensure(never());
      await expect(fence.arm(9, inMs(LONG_MS), never())).rejects.toBeInstanceOf(AppError);
      await until("the older one knows", () => !fence.status().alive);
      const refused = { code: "NAME_IN_USE" };
      await expect(fence.arm(9, inMs(LONG_MS), never())).rejects.toMatchObject(refused);
      await expect(fence.disarm(never())).rejects.toMatchObject(refused);
      await expect(start()).rejects.toMatchObject(refused);
      await expect(fence.killServer(0, KILL_MS, never())).rejects.toMatchObject(refused);
      await expect(fence.ensure(never())).rejects.toMatchObject(refused);
      await newer.arm(8, inMs(LONG_MS), never());
      expect(newer.status().armed?.term).toBe(8);
    });

    it("takes the server with it when it is killed; a new one knows of no deadline", async () => {
      await start();
      await fence.arm(7, inMs(LONG_MS), never());
      stage.killFence();
      await until("the server is down", () => stage.isServerDown());
      await until("the loss is told", () => events.some(({ kind }) => kind === "lost"));
      expect(fence.status().alive).toBe(false);
      await fence.ensure(never());
      expect(fence.status()).toMatchObject({ alive: true, armed: undefined });
      await start();
      expect(stage.isServerDown()).toBe(false);
    });
  });
}
