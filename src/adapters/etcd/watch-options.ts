// What does a watch need to know?
import type { Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Range, StoreEvent } from "../../ports/store.ts";
import type { Gateway } from "./gateway.ts";

export interface WatchOptions {
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly log: Log;
  readonly prefix: string;
  /** Looks at the keys, values left out, asking the member of this index first. */
  readonly list: (timeoutMs: Ms, from: number) => Promise<Range>;
  readonly onEvents: (events: readonly StoreEvent[]) => void;
  readonly onGap: () => void;
  readonly signal: AbortSignal;
}

/** The longest silence before somebody else is asked. */
export const SILENCE_MS: Ms = 2000;
