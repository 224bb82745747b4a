// A request of one process to something outside it: it may be answered late, after a pause, or never.
import { AppError } from "../model/error.ts";
import type { Kernel } from "./kernel.ts";
import type { SimProcess } from "./process.ts";

export interface Reply<T> {
  ok(value: T): void;
  fail(error: AppError): void;
}

export interface AskOptions<T> {
  readonly process: SimProcess;
  readonly attempt: string;
  readonly signal?: AbortSignal | undefined;
  /** What an abort means; "cancelled" unless said otherwise. */
  readonly aborted?: (() => AppError) | undefined;
  /** Begins the work; answers what to do when the caller gives up. */
  readonly begin: (reply: Reply<T>) => (() => void) | undefined;
}

/** Leaves the process, does the work outside, and comes back into the process, at most once. */
export function ask<T>(options: AskOptions<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const question = new Question(options, resolve, reject);
    const { signal } = options;
    if (signal?.aborted === true) {
      question.abort();
      return;
    }
    if (signal !== undefined) question.listenTo(signal);
    options.process.send(() => question.begin());
  });
}

class Question<T> implements Reply<T> {
  readonly #options: AskOptions<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (why: unknown) => void;
  #isOver = false;
  #giveUp: (() => void) | undefined;
  #onAbort: (() => void) | undefined;

  constructor(options: AskOptions<T>, resolve: (value: T) => void, reject: (why: unknown) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  listenTo(signal: AbortSignal): void {
    this.#onAbort = () => this.abort();
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  begin(): void {
    if (!this.#isOver) this.#giveUp = this.#options.begin(this);
  }

  abort(): void {
    if (!this.#finish()) return;
    this.#giveUp?.();
    const { aborted, attempt, signal } = this.#options;
    this.#reject(aborted?.() ?? new AppError("CANCELLED", attempt, "", signal?.reason));
  }

  ok(value: T): void {
    this.#options.process.deliver(() => {
      if (this.#finish()) this.#resolve(value);
    });
  }

  fail(error: AppError): void {
    this.#options.process.deliver(() => {
      if (this.#finish()) this.#reject(error);
    });
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    if (this.#onAbort !== undefined)
      this.#options.signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }
}

/** The plainest request: some milliseconds of work, then its result or its failure. */
export function askAfter<T>(
  kernel: Kernel,
  options: Omit<AskOptions<T>, "begin"> & { readonly ms: number; readonly work: () => T },
): Promise<T> {
  const { process, attempt, signal, aborted } = options;
  return ask({
    process,
    attempt,
    signal,
    aborted,
    begin: (reply) => {
      const ticket = kernel.after(options.ms, () => {
        try {
          reply.ok(options.work());
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          reply.fail(error);
        }
      });
      return () => ticket.cancel();
    },
  });
}
