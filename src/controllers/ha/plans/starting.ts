// How is a server started, and how soon again after it failed to?
import type { Reason } from "../../../model/reason.ts";
import { after } from "../../../model/time.ts";
import type { Upstream } from "../../../ports/postgres.ts";
import type { Verdict } from "../rungs/rung.ts";
import type { HaWorld } from "../world.ts";
import { told } from "./own-record.ts";
import type { Source } from "./standing.ts";

const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MOST_MS = 30_000;
/** A standby may have much WAL to replay before it is consistent; ending it would only make it begin again. */
export const STANDBY_START_MS = 3_600_000;

/** Starts as a standby, of nobody while there is nobody to follow; after a failure waits 1, 2, 4 … 30 s first. */
export function startStandby(
  w: HaWorld,
  because: Reason,
  to?: { readonly upstream: Upstream; readonly source: Source | undefined },
): Verdict {
  const { startFailures, startFailedAt } = w.memory;
  if (startFailedAt !== undefined) {
    const pause = Math.min(BACKOFF_FIRST_MS * 2 ** (startFailures - 1), BACKOFF_MOST_MS);
    const at = after(startFailedAt, pause);
    if (w.now < at) {
      return {
        because: "start_backoff",
        detail: w.outcomes["start-standby"]?.why ?? "",
        wakeAt: at,
      };
    }
  }
  const step = {
    kind: "start-standby",
    plan: w.plan,
    upstream: to?.upstream,
    timeoutMs: STANDBY_START_MS,
  } as const;
  return {
    because,
    step,
    remember: { startedAlone: to === undefined, ...told(to?.upstream, to?.source) },
  };
}
