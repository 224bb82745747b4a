// What happens in a tick? observe → decide → vouch → upkeep → at most one step; then at once again, or sleep until woken.
import type { Controller, Decision, Outcome, Outcomes } from "../controllers/controller.ts";
import { AppError } from "../model/error.ts";
import { sentence } from "../model/reason.ts";
import { after, type Instant, instant, type Ms } from "../model/time.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { createJobSlot, type JobSlot } from "./job-slot.ts";
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

/** Runs one controller until it is stopped. What it throws is a programmer's error and ends the agent. */
export function createLoop<W, S extends { readonly kind: string }, M>(
  options: LoopOptions<W, S, M>,
): Loop {
  return new ControlLoop(options);
}

class ControlLoop<W, S extends { readonly kind: string }, M> implements Loop {
  readonly #o: LoopOptions<W, S, M>;
  readonly #jobs: JobSlot<S>;
  #memory: M;
  #outcomes: Outcomes = {};
  #woken = false;
  #stopped = false;
  #rouse: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(options: LoopOptions<W, S, M>) {
    this.#o = options;
    this.#memory = options.memory;
    this.#jobs = createJobSlot<S>({
      now: () => options.clock.now(),
      outcomeOf: (work) => this.#outcomeOf(work),
      onEnd: (step, outcome) => {
        this.#note(step, outcome);
        this.wake();
      },
    });
  }

  start(): void {
    this.#running = this.#run();
  }

  wake(): void {
    this.#woken = true;
    this.#rouse?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#rouse?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    let inARow = 0;
    while (!this.#stopped) {
      this.#woken = false;
      const { stepped, wakeAt } = await this.#tick();
      inARow = stepped ? inARow + 1 : 0;
      if (!stepped) await this.#sleep(wakeAt);
      if (inARow < MOST_STEPS_IN_A_ROW) continue;
      inARow = 0;
      await this.#o.clock.sleep(BREATH_MS);
    }
  }

  /** One look and what follows from it. */
  async #tick(): Promise<{ readonly stepped: boolean; readonly wakeAt: Instant | undefined }> {
    const { controller, clock } = this.#o;
    const observedAt = clock.now();
    const world = await controller.observe(this.#memory, this.#outcomes, this.#jobs.current());
    const decision = controller.decide(world);
    this.#memory = decision.memory;
    this.#report(world, decision);
    this.#o.onDecision(world, decision, observedAt);
    for (const upkeep of decision.upkeep) await this.#perform(upkeep, UPKEEP_LIMIT_MS);
    if (decision.cancelJob === true) this.#jobs.cancel(decision.because);
    const { step, wakeAt } = decision;
    if (step === undefined || this.#jobs.current() !== undefined) return { stepped: false, wakeAt };
    await this.#take(step);
    return { stepped: true, wakeAt };
  }

  async #take(step: S): Promise<void> {
    const { controller } = this.#o;
    this.#o.onStep(step);
    if (!controller.isLong(step)) await this.#perform(step, STEP_LIMIT_MS);
    else this.#jobs.start(step, (progress, signal) => controller.act(step, progress, signal));
  }

  async #perform(step: S, limitMs: Ms): Promise<void> {
    const { clock, controller } = this.#o;
    using limit = clock.deadline(limitMs);
    const work = () => controller.act(step, () => undefined, limit.signal);
    this.#note(step, await this.#outcomeOf(work));
  }

  async #outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
    const { clock } = this.#o;
    try {
      const result = await work();
      return { at: clock.now(), ok: true, code: undefined, why: undefined, result };
    } catch (error) {
      const code = error instanceof AppError ? error.code : "UNEXPECTED";
      const why = error instanceof Error ? error.message : String(error);
      return { at: clock.now(), ok: false, code, why, result: undefined };
    }
  }

  /** A failure is told once, and once that it is over. */
  #note(step: S, outcome: Outcome): void {
    const before = failureOf(this.#outcomes[step.kind]);
    const now = failureOf(outcome);
    this.#outcomes = { ...this.#outcomes, [step.kind]: outcome };
    const { log } = this.#o;
    const { code, why } = outcome;
    if (now !== undefined && now !== before)
      log.warn("step failed", { step: step.kind, code, why });
    else if (now !== undefined) log.debug("step failed again", { step: step.kind, code, why });
    else if (before !== undefined) log.info("step no longer fails", { step: step.kind });
    else log.debug("step done", { step: step.kind });
  }

  #report(world: W, decision: Decision<S, M>): void {
    const { clock, journal, log } = this.#o;
    const { because, detail } = decision;
    const step = decision.step?.kind;
    const failedBy = step === undefined ? undefined : failureOf(this.#outcomes[step]);
    const entry = {
      at: clock.now(),
      wallMs: clock.wallMs(),
      because,
      detail,
      step,
      failedBy,
      world,
    };
    if (!journal.record(entry)) return;
    log.info(sentence(because), {
      reason: because,
      ...(detail === undefined ? {} : { detail }),
      ...(step === undefined ? {} : { step }),
    });
  }

  /** Until woken, until the decision's own time, or for the regular pause, whichever comes first. */
  async #sleep(wakeAt: Instant | undefined): Promise<void> {
    if (this.#woken || this.#stopped) return;
    const { clock } = this.#o;
    const regular = after(clock.now(), this.#o.loopWaitMs());
    const until = wakeAt === undefined ? regular : instant(Math.min(regular, wakeAt));
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#rouse = resolve;
      timer = clock.wakeAt(until, resolve);
    });
    this.#rouse = undefined;
    timer?.cancel();
  }
}

const failureOf = (outcome: Outcome | undefined): string | undefined =>
  outcome === undefined || outcome.ok ? undefined : `${outcome.code}: ${outcome.why}`;
