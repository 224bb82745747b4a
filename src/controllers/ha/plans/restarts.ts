// How often has the primary come back lately, and is that too often? (R46)
import type { Instant, Ms } from "../../../model/time.ts";
import type { Verdict } from "../rungs/rung.ts";
import type { HaMemory, HaWorld } from "../world.ts";
import { nearHeir } from "./asking.ts";
import { sqlOf } from "./standing.ts";
import { primaryStopMs } from "./stopping.ts";

/** R46: three in ten minutes, or one without a minute of service, and restarting is over. */
const CRASH_WINDOW_MS: Ms = 600_000;
const MOST_RESTARTS = 3;
export const MINUTE_OF_SERVICE_MS: Ms = 60_000;
const MOST_REMEMBERED = 10;

export const recentCrashes = ({ crashes }: HaMemory, now: Instant): readonly Instant[] =>
  crashes.filter((at) => now - at < CRASH_WINDOW_MS);

export const tooMany = (recent: readonly Instant[]): boolean => recent.length >= MOST_RESTARTS;

/** One more, at this moment. */
export const oneMore = ({ crashes }: HaMemory, now: Instant): Pick<HaMemory, "crashes"> => ({
  crashes: [...crashes, now].slice(-MOST_REMEMBERED),
});

/** Runs now, but has come back too often, or twice without a minute of service between. */
export function isUnsteady(memory: HaMemory, now: Instant): boolean {
  const recent = recentCrashes(memory, now);
  const [before, last] = recent.slice(-2);
  const isTwice =
    before !== undefined && last !== undefined && last - before < MINUTE_OF_SERVICE_MS;
  return tooMany(recent) || isTwice;
}

/**
 * A crashed backend makes the postmaster end all the others and recover, itself staying: a restart like any other,
 * that nobody would see from outside. Counted on a primary; what a standby goes through concerns nobody.
 */
export function lifeOf(memory: HaMemory, w: HaWorld): Pick<HaMemory, "life" | "crashes"> {
  const sql = sqlOf(w);
  const { process } = w.server;
  if (sql === undefined || process.kind !== "running") return memory;
  const life = { pid: process.pid, sharedSince: sql.sharedSinceText };
  const before = memory.life;
  const isReset = before?.pid === life.pid && before.sharedSince !== life.sharedSince;
  const { crashes } = isReset && !sql.inRecovery ? oneMore(memory, w.now) : memory;
  return { life, crashes };
}

/** What a running primary does about its crashes: says each once, and goes when they are too many for a good heir. */
export function unsteady(w: HaWorld): Verdict | undefined {
  const { memory, now } = w;
  const detail = `${recentCrashes(memory, now).length} restarts in ten minutes`;
  const heir = isUnsteady(memory, now) ? nearHeir(w) : undefined;
  if (heir !== undefined) {
    const timeoutMs = primaryStopMs(w.config);
    return {
      because: "crash_stepping_down",
      detail: `${detail}, to ${heir.member.name}`,
      step: { kind: "stop", timeoutMs, heirApiUrl: heir.member.apiUrl },
      vouch: true,
    };
  }
  return memory.crashes.at(-1) === now
    ? { because: "lead_server_reset", detail, vouch: true }
    : undefined;
}
