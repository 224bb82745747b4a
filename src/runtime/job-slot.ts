// Which long step is running? One at a time; it never decides anything.
import type { Job, Outcome } from "../controllers/controller.ts";
import { assert } from "../model/error.ts";
import type { Instant } from "../model/time.ts";

export type LongWork = (
  onProgress: (text: string) => void,
  signal: AbortSignal,
) => Promise<unknown>;

export interface JobSlot<S> {
  current(): Job<S> | undefined;
  /** Begins the work; the slot must be free. */
  start(step: S, work: LongWork): void;
  cancel(why: string): void;
}

export interface JobSlotOptions<S> {
  now(): Instant;
  outcomeOf(work: () => Promise<unknown>): Promise<Outcome>;
  onEnd(step: S, outcome: Outcome): void;
}

export function createJobSlot<S>(options: JobSlotOptions<S>): JobSlot<S> {
  let job: { view: Job<S>; readonly abort: AbortController } | undefined;

  async function run(step: S, work: () => Promise<unknown>): Promise<void> {
    const outcome = await options.outcomeOf(work);
    job = undefined;
    options.onEnd(step, outcome);
  }

  return {
    current: () => job?.view,
    start(step, work) {
      assert(job === undefined, "the job slot is free");
      const abort = new AbortController();
      const mine: { view: Job<S>; readonly abort: AbortController } = {
        view: { step, startedAt: options.now(), progress: undefined, cancelled: false },
        abort,
      };
      job = mine;
      const report = (progress: string) => {
        mine.view = { ...mine.view, progress };
      };
      void run(step, () => work(report, abort.signal));
    },
    cancel(why) {
      if (job === undefined || job.view.cancelled) return;
      job.view = { ...job.view, cancelled: true };
      job.abort.abort(new Error(why));
    },
  };
}
