// A request of one process to something outside it: it may be answered late, after a pause, or never.
import { AppError } from "../model/error.ts";
import type { Kernel } from "./kernel.ts";
import type { SimProcess } from "./process.ts";

export interface Reply<T> {
  readonly ok: (value: T) => void;
  readonly fail: (error: AppError) => void;
}

export interface AskOptions<T> {
  readonly process: SimProcess;
  readonly attempt: string;
  readonly signal?: AbortSignal | undefined;
  /** What an abort means; "cancelled" unless said otherwise. */
  readonly aborted?: () => AppError;
  /** Begins the work; answers what to do when the caller gives up. */
  readonly begin: (reply: Reply<T>) => (() => void) | undefined;
}

/** Leaves the process, does the work outside, and comes back into the process, at most once. */
export function ask<T>(options: AskOptions<T>): Promise<T> {
  const { process, signal, attempt } = options;
  return new Promise((resolve, reject) => {
    let isOver = false;
    let giveUp: (() => void) | undefined;
    const finish = (): boolean => {
      if (isOver) return false;
      isOver = true;
      signal?.removeEventListener("abort", onAbort);
      return true;
    };
    const onAbort = (): void => {
      if (!finish()) return;
      giveUp?.();
      reject(options.aborted?.() ?? new AppError("CANCELLED", attempt, "", signal?.reason));
    };
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    process.send(() => {
      if (isOver) return;
      giveUp = options.begin({
        ok: (value) => process.deliver(() => finish() && resolve(value)),
        fail: (error) => process.deliver(() => finish() && reject(error)),
      });
    });
  });
}

/** The plainest request: some milliseconds of work, then its result or its failure. */
export function askAfter<T>(
  kernel: Kernel,
  options: Omit<AskOptions<T>, "begin"> & { readonly ms: number; readonly work: () => T },
): Promise<T> {
  return ask({
    ...options,
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
