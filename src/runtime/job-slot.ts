// Which long step is running? One at a time; it never decides anything.
import type { Job, Outcome } from "../controllers/controller.ts";
import type { Instant } from "../model/time.ts";

export interface JobSlot<S> {
  current(): Job<S> | undefined;
  /** Begins `run`; `onEnd` gets its outcome. The slot must be free. */
  start(
    step: S,
    run: (onProgress: (text: string) => void, signal: AbortSignal) => Promise<unknown>,
  ): void;
  cancel(why: string): void;
}

export function createJobSlot<S>(
  now: () => Instant,
  outcomeOf: (run: () => Promise<unknown>) => Promise<Outcome>,
  onEnd: (step: S, outcome: Outcome) => void,
): JobSlot<S> {
  let job: { view: Job<S>; abort: AbortController } | undefined;
  return {
    current: () => job?.view,
    start(step, run) {
      if (job !== undefined) throw new Error("assertion failed: the job slot is taken");
      const abort = new AbortController();
      const mine = {
        view: { step, startedAt: now(), progress: undefined, cancelled: false } as Job<S>,
        abort,
      };
      job = mine;
      const report = (progress: string) => {
        mine.view = { ...mine.view, progress };
      };
      void outcomeOf(() => run(report, abort.signal)).then((outcome) => {
        job = undefined;
        onEnd(step, outcome);
      });
    },
    cancel(why) {
      if (job === undefined || job.view.cancelled) return;
      job.view = { ...job.view, cancelled: true };
      job.abort.abort(new Error(why));
    },
  };
}
