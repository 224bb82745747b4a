// Does one tick take one step, and does the next come when it should?
import { describe, expect, it } from "vitest";
import { settled, type VirtualClock, virtualClock } from "../../test/support/clock.ts";
import { SILENT_LOG } from "../../test/support/keeper-stage.ts";
import type { Controller, Decision, Job, Outcomes } from "../controllers/controller.ts";
import { AppError } from "../model/error.ts";
import { after, type Instant, instant, type Ms } from "../model/time.ts";
import { createJournal } from "./journal.ts";
import { createLoop, type Loop } from "./loop.ts";

interface Step {
  readonly kind: "short" | "long" | "tidy";
}
interface Look {
  readonly at: Instant;
  readonly count: number;
  readonly outcomes: Outcomes;
  readonly job: Job<Step> | undefined;
}
type Choice = Partial<Decision<Step, number>>;

const T0 = instant(1_000_000);
const SHORT = { kind: "short" } as const;
const LONG = { kind: "long" } as const;
const TIDY = { kind: "tidy" } as const;

interface LoopStage {
  readonly clock: VirtualClock;
  readonly loop: Loop;
  readonly looks: Look[];
  readonly acted: string[];
  readonly noted: string[];
  /** What stands in the log, from info on. */
  readonly said: string[];
  /** What the next acts do; the default is nothing, at once. */
  act: (step: Step, progress: (text: string) => void, signal: AbortSignal) => Promise<unknown>;
}

/** A loop whose controller decides by the look alone; memory counts the looks. */
function stageOf(choose: (look: Look) => Choice, loopWaitMs: Ms = 2_000): LoopStage {
  const clock = virtualClock(T0);
  const looks: Look[] = [];
  const acted: string[] = [];
  const noted: string[] = [];
  const said: string[] = [];
  const controller: Controller<Look, Step, number> = {
    observe(memory, outcomes, job) {
      const look = { at: clock.now(), count: memory, outcomes, job };
      looks.push(look);
      return Promise.resolve(look);
    },
    decide: (look) => ({
      because: "following",
      upkeep: [],
      vouch: false,
      memory: look.count + 1,
      ...choose(look),
    }),
    act(step, progress, signal) {
      acted.push(step.kind);
      return stage.act(step, progress, signal);
    },
    isLong: (step) => step.kind === "long",
  };
  const loop = createLoop<Look, Step, number>({
    controller,
    clock,
    log: {
      ...SILENT_LOG,
      warn: (text) => void said.push(text),
      info: (text) => void said.push(text),
    },
    journal: createJournal<Look>(),
    memory: 0,
    loopWaitMs: () => loopWaitMs,
    onDecision: (_, decision, observedAt) =>
      void noted.push(`decided ${decision.memory} at ${observedAt - T0}`),
    onStep: (step) => void noted.push(`step ${step.kind}`),
  });
  const stage: LoopStage = { clock, loop, looks, acted, noted, said, act: () => Promise.resolve() };
  return stage;
}

const times = (stage: LoopStage): readonly number[] => stage.looks.map(({ at }) => at - T0);

describe("a loop with nothing to do", () => {
  it("looks every loop_wait", async () => {
    const stage = stageOf(() => ({}));
    stage.loop.start();
    await stage.clock.pass(5_000);
    expect(times(stage)).toEqual([0, 2_000, 4_000]);
  });

  it("looks earlier when the decision says so, never later", async () => {
    const stage = stageOf(({ at, count }) => ({ wakeAt: after(at, count === 0 ? 300 : 9_000) }));
    stage.loop.start();
    await stage.clock.pass(3_000);
    expect(times(stage)).toEqual([0, 300, 2_300]);
  });

  it("looks at once when woken", async () => {
    const stage = stageOf(() => ({}));
    stage.loop.start();
    await stage.clock.pass(700);
    stage.loop.wake("news");
    await stage.clock.pass(0);
    expect(times(stage)).toEqual([0, 700]);
  });

  it("does not lose a wake that comes during a tick", async () => {
    const stage = stageOf(({ count }) => (count === 0 ? { upkeep: [TIDY] } : {}));
    stage.act = async () => {
      stage.loop.wake("meanwhile");
      await stage.clock.sleep(100);
    };
    stage.loop.start();
    await stage.clock.pass(500);
    expect(times(stage)).toEqual([0, 100]);
  });

  it("stops after the current tick", async () => {
    const stage = stageOf(() => ({}));
    stage.loop.start();
    await settled();
    await stage.loop.stop();
    await stage.clock.pass(10_000);
    expect(times(stage)).toEqual([0]);
  });
});

describe("a tick", () => {
  it("does the upkeep in order, then one step, then looks again at once", async () => {
    const stage = stageOf(({ count }) =>
      count === 0 ? { upkeep: [TIDY, TIDY], step: SHORT } : {},
    );
    stage.loop.start();
    await stage.clock.pass(100);
    expect(stage.acted).toEqual(["tidy", "tidy", "short"]);
    expect(times(stage)).toEqual([0, 0]);
    expect(stage.noted).toEqual(["decided 1 at 0", "step short", "decided 2 at 0"]);
  });

  it("hands memory and outcomes on to the next world, failures included", async () => {
    const stage = stageOf(({ count }) => (count === 0 ? { upkeep: [TIDY], step: SHORT } : {}));
    stage.act = (step) =>
      step.kind === "tidy"
        ? Promise.reject(new AppError("PG_DISK_FULL", "tidying"))
        : Promise.resolve("found");
    stage.loop.start();
    await stage.clock.pass(0);
    expect(stage.looks[1]).toMatchObject({
      count: 1,
      outcomes: {
        tidy: { ok: false, code: "PG_DISK_FULL" },
        short: { ok: true, result: "found", at: T0 },
      },
    });
  });

  it("bounds every short step", async () => {
    const stage = stageOf(({ count }) => (count === 0 ? { step: SHORT } : {}));
    stage.act = (_, __, signal) => stage.clock.sleep(60_000, signal);
    stage.loop.start();
    await stage.clock.pass(15_000);
    expect(stage.looks[1]).toMatchObject({
      at: T0 + 15_000,
      outcomes: { short: { ok: false, code: "UNEXPECTED" } },
    });
  });

  it("breathes when steps go round in circles", async () => {
    const stage = stageOf(() => ({ step: SHORT }));
    stage.loop.start();
    await stage.clock.pass(500);
    expect(stage.looks).toHaveLength(75);
    expect(new Set(times(stage))).toEqual(new Set([0, 250, 500]));
    await Promise.all([stage.loop.stop(), stage.clock.pass(250)]);
  });
});

describe("a long step", () => {
  it("runs as a job while the loop goes on, one at a time", async () => {
    const stage = stageOf(({ count }) => (count < 2 ? { step: LONG } : {}));
    stage.act = async (_, progress) => {
      progress("half");
      await stage.clock.sleep(3_000);
      return "done";
    };
    stage.loop.start();
    await stage.clock.pass(3_000);
    expect(stage.acted).toEqual(["long"]);
    expect(stage.looks[1]?.job).toMatchObject({ step: LONG, startedAt: T0 });
    expect(stage.looks[2]?.job?.progress).toBe("half");
    expect(stage.looks.at(-1)).toMatchObject({
      at: T0 + 3_000,
      job: undefined,
      outcomes: { long: { ok: true, result: "done" } },
    });
  });

  it("can be cancelled, and its end is a look of its own", async () => {
    const stage = stageOf(({ count }) => (count === 0 ? { step: LONG } : { cancelJob: true }));
    stage.act = (_, __, signal) => stage.clock.sleep(60_000, signal);
    stage.loop.start();
    await stage.clock.pass(10);
    expect(stage.looks.at(-1)).toMatchObject({
      job: undefined,
      outcomes: { long: { ok: false, why: "following" } },
    });
  });
});

describe("a step that fails again and again", () => {
  it("is told when it begins and when it is over, however often it is tried", async () => {
    const stage = stageOf(({ count }) => (count < 12 ? { upkeep: [TIDY] } : {}), 500);
    let tries = 0;
    stage.act = () => {
      tries += 1;
      return tries < 10
        ? Promise.reject(new AppError("PG_DISK_FULL", "tidying"))
        : Promise.resolve();
    };
    stage.loop.start();
    await stage.clock.pass(10_000);
    const told = stage.said.filter((text) => text.startsWith("step"));
    expect(told).toEqual(["step failed", "step no longer fails"]);
    await stage.loop.stop();
  });
});
