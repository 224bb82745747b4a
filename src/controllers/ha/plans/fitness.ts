// What speaks against this very member as a leader, whoever else there is? It says so to those who have to choose.
import { isTooLittle } from "../../../model/server.ts";
import { after, type Ms } from "../../../model/time.ts";
import type { Verdict } from "../rungs/rung.ts";
import type { HaWorld } from "../world.ts";
import { nearHeir } from "./asking.ts";
import { primaryStopMs } from "./stopping.ts";

/** A disk that is full for a moment may be one that something cleans up. */
const FULL_FOR_MS: Ms = 3_000;

/** `watchdog.mode: required`, and none that could be armed. */
export const lacksWatchdog = ({ self, fence }: Pick<HaWorld, "self" | "fence">): boolean =>
  self.watchdog === "required" && (fence.watchdog === "absent" || fence.watchdog === "failed");

export const isDiskFull = ({ server: { diskFreeBytes } }: HaWorld): boolean =>
  diskFreeBytes !== undefined && isTooLittle(diskFreeBytes);

/** For the others; undefined when nothing does. */
export function unfitness(w: HaWorld): string | undefined {
  if (lacksWatchdog(w)) return `a watchdog is required and it is ${w.fence.watchdog}`;
  return isDiskFull(w) ? "its disk is full" : undefined;
}

/** A primary that must not or cannot go on gives way: without a watchdog always, on a full disk to somebody better. */
export function stepDown(w: HaWorld): Verdict | undefined {
  const heir = nearHeir(w);
  const to = heir === undefined ? "nobody can take over" : `to ${heir.member.name}`;
  const timeoutMs = primaryStopMs(w.config);
  const step = { kind: "stop", timeoutMs, heirApiUrl: heir?.member.apiUrl } as const;
  if (lacksWatchdog(w)) {
    const detail = `it is ${w.fence.watchdog}, ${to}`;
    return { because: "lead_without_watchdog", detail, step, vouch: true };
  }
  const since = w.memory.diskFullSince;
  if (since === undefined || w.now < after(since, FULL_FOR_MS) || heir === undefined)
    return undefined;
  return { because: "lead_disk_full", detail: to, step, vouch: true };
}
