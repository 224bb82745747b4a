// What every pooler promises to the route room: the real PgBouncer or the simulator.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RoutePlan } from "../../src/model/route.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Pooler } from "../../src/ports/pooler.ts";

export interface PoolerUnderTest {
  readonly clock: Pick<Clock, "sleep">;
  /** With the database `app` on the write route, and nobody connected. */
  readonly pooler: Pooler;
  [Symbol.asyncDispose](): Promise<void>;
}

const FIRST = { name: "n1", host: "127.0.0.1", port: 1 };
const SECOND = { name: "n2", host: "127.0.0.1", port: 2 };
const LIMITS = { drainMs: 5_000, limitMs: 60_000 };
const MOST_LOOKS = 500;

const planOf = (term: number, write: RoutePlan["write"]): RoutePlan => ({
  term,
  write,
  reads: [],
  reports: [],
});

export function poolerContract(name: string, make: () => Promise<PoolerUnderTest>): void {
  describe(`${name} keeps the promises of a pooler`, () => {
    const { signal } = new AbortController();
    let stage: PoolerUnderTest;
    beforeAll(async () => {
      stage = await make();
    });
    afterAll(() => stage[Symbol.asyncDispose]());

    const leadsTo = async () => {
      const { processes } = await stage.pooler.look(signal);
      return processes.map(({ points }) => points["app"]?.port);
    };
    const isPaused = async () => {
      const { processes } = await stage.pooler.look(signal);
      return processes.length > 0 && processes.every(({ paused }) => paused);
    };

    it("leads where the plan says, however often it is told", async () => {
      const { pooler } = stage;
      expect(await pooler.ensure(planOf(5, FIRST), signal)).toEqual({ kind: "pointed" });
      expect(await pooler.ensure(planOf(5, FIRST), signal)).toEqual({ kind: "pointed" });
      expect(await leadsTo()).toEqual([FIRST.port]);
    });

    it("refuses a plan of an older term, and names the one in force", async () => {
      const answer = await stage.pooler.ensure(planOf(4, SECOND), signal);
      expect(answer).toEqual({ kind: "older", term: 5 });
      expect(await leadsTo()).toEqual([FIRST.port]);
    });

    it("leaves writes where they are while no primary is known", async () => {
      await stage.pooler.ensure(planOf(6, undefined), signal);
      expect(await leadsTo()).toEqual([FIRST.port]);
    });

    it("pauses, leads elsewhere meanwhile, and is released as often as one likes", async () => {
      const { pooler } = stage;
      expect(await pooler.hold(LIMITS, signal)).toEqual({ kind: "held" });
      expect(await isPaused()).toBe(true);
      await pooler.ensure(planOf(7, SECOND), signal);
      expect(await leadsTo()).toEqual([SECOND.port]);
      expect(await isPaused()).toBe(true);
      await pooler.release(signal);
      await pooler.release(signal);
      expect(await isPaused()).toBe(false);
    });

    it("prolongs a pause by another one, and ends it by itself at the last deadline", async () => {
      const { pooler, clock } = stage;
      await pooler.hold(LIMITS, signal);
      await pooler.hold({ ...LIMITS, limitMs: 100 }, signal);
      for (let looks = 0; (await isPaused()) && looks < MOST_LOOKS; looks += 1)
        await clock.sleep(20);
      expect(await isPaused()).toBe(false);
    });

    it("fails with the signal's reason when there is no time left", async () => {
      const over = AbortSignal.abort(new Error("no time"));
      await expect(stage.pooler.look(over)).rejects.toThrow();
      await expect(stage.pooler.hold(LIMITS, over)).rejects.toThrow();
      await stage.pooler.release(signal);
      expect(await isPaused()).toBe(false);
    });
  });
}
