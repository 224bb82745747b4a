// The server runs under our lease and answers none of our questions: how long is it waited for?
import { after, type Instant, type Ms } from "../../../model/time.ts";
import type { Verdict } from "../rungs/rung.ts";
import type { HaWorld } from "../world.ts";
import { heirs } from "./candidates.ts";

/** A server that resets itself after the crash of a backend recovers within this, or a standby is quicker. */
const RESET_MS: Ms = 5_000;
/** It accepts connections and no answer comes: busy beyond use, or its disk stands still. */
const SILENT_MS: Ms = 30_000;

/** Waits, and at the limit ends it: what follows are the rules of a crash. */
export function unanswering(w: HaWorld): Verdict {
  const why = w.server.sql.kind === "unknown" ? w.server.sql.why : "";
  const limit = limitOf(w);
  if (w.now >= limit.at) {
    return { because: limit.because, detail: why, step: { kind: "kill" }, vouch: limit.vouch };
  }
  return {
    because: "lead_waiting_for_server",
    detail: why,
    // A winner that is still a standby is waited for only as long as its lease lasts: others could be primary by then.
    vouch: !w.server.standbySignal,
    ...(limit.at === Number.POSITIVE_INFINITY ? {} : { wakeAt: limit.at }),
  };
}

interface Limit {
  readonly at: Instant;
  readonly because: "server_hung" | "crash_giving_up";
  readonly vouch: boolean;
}

function limitOf(w: HaWorld): Limit {
  const { process } = w.server;
  const since = w.memory.silentSince ?? w.now;
  const hung = (ms: Ms): Limit => ({ at: after(since, ms), because: "server_hung", vouch: true });
  if (process.kind !== "running") return hung(Number.POSITIVE_INFINITY);
  const hasHeir = heirs(w).length > 0;
  if (process.accepting !== "starting") return hung(hasHeir ? SILENT_MS : Number.POSITIVE_INFINITY);
  const hasServed = w.memory.life?.pid === process.pid;
  if (hasServed && hasHeir) return hung(RESET_MS);
  const begun = hasServed ? since : process.startedAt;
  const at = after(begun, w.config.primaryStartTimeoutMs);
  return { at, because: "crash_giving_up", vouch: false };
}
