// Has it happened yet? Every wait of the lab has a name and a limit.
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";

export interface Patience {
  readonly limitMs: Ms;
  readonly everyMs?: Ms;
  /** Says more about the failure: which log to read, what was seen last. */
  readonly why?: () => string;
}

/** Asks until the answer is not undefined. `what` completes the sentence "waited for …". */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  { limitMs, everyMs = 100, why = () => "" }: Patience,
): Promise<T> {
  const giveUpAt = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= giveUpAt) {
      const limit = `not within ${Math.round(limitMs / 100) / 10} s`;
      throw new AppError(
        "TIMEOUT",
        `waited for ${what}`,
        [limit, why()].filter(Boolean).join("; "),
      );
    }
    await sleep(everyMs);
  }
}

/** For conditions: true ends the wait. */
export const waitFor = async (
  what: string,
  holds: () => Promise<boolean> | boolean,
  patience: Patience,
): Promise<void> => {
  await waitUntil(what, async () => ((await holds()) ? true : undefined), patience);
};
