// Who are we to the store, and how is that asked for only once by many calls at a time?
import { AppError } from "../../model/error.ts";
import type { Instant } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";

export type Headers = Readonly<Record<string, string>>;

export interface Identity {
  /** Waits for the token, at most until `deadline`; asks for one when there is none. */
  headers(deadline: Instant): Promise<Headers>;
  /** `used` was not accepted. A newer one that somebody got meanwhile is kept. */
  forget(used: Headers): void;
}

/** `login` is bounded by itself: callers with less time give up waiting, and the token serves the next one. */
export function createIdentity(clock: Clock, login: () => Promise<Headers>): Identity {
  let asked: Promise<Headers> | undefined;
  let present: Headers | undefined;

  function ask(): Promise<Headers> {
    const asking = login();
    asked = asking;
    const remember = async (): Promise<void> => {
      try {
        present = await asking;
      } catch {
        // Whoever waits for it is told; the next call asks again.
        if (asked === asking) asked = undefined;
      }
    };
    void remember();
    return asking;
  }

  return {
    headers: (deadline) => within(clock, deadline, asked ?? ask()),
    forget(used) {
      if (present !== used) return;
      present = undefined;
      asked = undefined;
    },
  };
}

function within<T>(clock: Clock, deadline: Instant, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.wakeAt(deadline, () =>
      reject(new AppError("STORE_UNREACHABLE", "log in to the store", "no token in time")),
    );
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
