// What happens in a tick? observe → decide → vouch → upkeep → at most one step; then at once again, or sleep until woken.
import type { Controller, Decision, Outcome, Outcomes } from "../controllers/controller.ts";
import { AppError } from "../model/error.ts";
import { sentence } from "../model/reason.ts";
import { after, type Instant, type Ms } from "../model/time.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { createJobSlot } from "./job-slot.ts";
import type { Journal } from "./journal.ts";

export interface LoopOptions<W, S extends { readonly kind: string }, M> {
  readonly controller: Controller<W, S, M>;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal<W>;
  readonly memory: M;
  /** How long to sleep when nothing wakes us. */
  loopWaitMs(): Ms;
  /** Called right after every decision, with the instant at which its observation began (R38). */
  onDecision(world: W, decision: Decision<S, M>, observedAt: Instant): void;
  /** Called when a step begins: a vouch from before it is void. */
  onStep(step: S): void;
}

export interface Loop {
  start(): void;
  /** Look at the world as soon as the current tick is over. */
  wake(why: string): void;
  /** Resolves when the current tick is over and none will follow. */
  stop(): Promise<void>;
}

const UPKEEP_LIMIT_MS: Ms = 3_000;
const STEP_LIMIT_MS: Ms = 15_000;
/** After this many steps in a row without a pause something goes round in circles: breathe. */
const MOST_STEPS_IN_A_ROW = 25;
const BREATH_MS: Ms = 250;

export function createLoop<W, S extends { readonly kind: string }, M>(
  options: LoopOptions<W, S, M>,
): Loop {
  const { controller, clock, log, journal } = options;
  let memory = options.memory;
  let outcomes: Outcomes = {};
  let woken = false;
  let stopped = false;
  let rouse: (() => void) | undefined;

  const wake = () => {
    woken = true;
    rouse?.();
  };
  const jobs = createJobSlot<S>(
    () => clock.now(),
    outcomeOf,
    (step, outcome) => {
      note(step, outcome);
      wake();
    },
  );

  async function outcomeOf(run: () => Promise<unknown>): Promise<Outcome> {
    try {
      const result = await run();
      return { at: clock.now(), ok: true, code: undefined, why: undefined, result };
    } catch (error) {
      const code = error instanceof AppError ? error.code : "UNEXPECTED";
      const why = error instanceof Error ? error.message : String(error);
      return { at: clock.now(), ok: false, code, why, result: undefined };
    }
  }

  function note(step: S, outcome: Outcome): void {
    outcomes = { ...outcomes, [step.kind]: outcome };
    if (outcome.ok) log.debug("step done", { step: step.kind });
    else log.warn("step failed", { step: step.kind, code: outcome.code, why: outcome.why });
  }

  async function perform(step: S, limitMs: Ms): Promise<void> {
    using limit = clock.deadline(limitMs);
    note(step, await outcomeOf(() => controller.act(step, () => undefined, limit.signal)));
  }

  /** One look and what follows from it. Answers whether to look again at once. */
  async function tick(): Promise<{ again: boolean; wakeAt: Instant | undefined }> {
    const observedAt = clock.now();
    const world = await controller.observe(memory, outcomes, jobs.current());
    const decision = controller.decide(world);
    memory = decision.memory;
    report(world, decision);
    options.onDecision(world, decision, observedAt);
    for (const upkeep of decision.upkeep) await perform(upkeep, UPKEEP_LIMIT_MS);
    if (decision.cancelJob === true) jobs.cancel(decision.because);
    const { step } = decision;
    if (step === undefined) return { again: false, wakeAt: decision.wakeAt };
    if (jobs.current() !== undefined) return { again: false, wakeAt: decision.wakeAt };
    options.onStep(step);
    if (controller.isLong(step))
      jobs.start(step, (progress, signal) => controller.act(step, progress, signal));
    else await perform(step, STEP_LIMIT_MS);
    return { again: true, wakeAt: decision.wakeAt };
  }

  function report(world: W, decision: Decision<S, M>): void {
    const { because, detail } = decision;
    const step = decision.step?.kind;
    const entry = { at: clock.now(), wallMs: clock.wallMs(), because, detail, step, world };
    if (!journal.record(entry)) return;
    log.info(sentence(because), {
      reason: because,
      ...(detail === undefined ? {} : { detail }),
      ...(step === undefined ? {} : { step }),
    });
  }

  async function sleep(until: Instant): Promise<void> {
    if (woken || stopped) return;
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      rouse = resolve;
      timer = clock.wakeAt(until, resolve);
    });
    rouse = undefined;
    timer?.cancel();
  }

  async function run(): Promise<void> {
    let inARow = 0;
    while (!stopped) {
      woken = false;
      const { again, wakeAt } = await tick();
      inARow = again ? inARow + 1 : 0;
      const regular = after(clock.now(), options.loopWaitMs());
      if (again && inARow < MOST_STEPS_IN_A_ROW) continue;
      const breath = after(clock.now(), BREATH_MS);
      if (inARow >= MOST_STEPS_IN_A_ROW) {
        inARow = 0;
        await clock.sleep(BREATH_MS);
        continue;
      }
      const soonest =
        wakeAt === undefined
          ? regular
          : (Math.min(regular, Math.max(wakeAt, breath - BREATH_MS)) as Instant);
      await sleep(soonest);
    }
  }

  let running: Promise<void> | undefined;
  return {
    start() {
      running = run();
    },
    wake,
    async stop() {
      stopped = true;
      rouse?.();
      await running;
    },
  };
}
