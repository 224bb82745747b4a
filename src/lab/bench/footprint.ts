// What do agent and fence cost a host while nothing happens?
import { setTimeout as sleep } from "node:timers/promises";
import type { Ms } from "../../model/time.ts";
import { belongings } from "../belongings.ts";
import { usageOf } from "../processes.ts";
import type { LabRecord } from "../record.ts";

export interface Footprint {
  readonly node: string;
  readonly role: "agent" | "fence";
  readonly residentMb: number;
  readonly cpuSecondsPerMinute: number;
}

/** Watches every agent and fence of an idle lab for a while. */
export async function footprint(lab: LabRecord, forMs: Ms): Promise<readonly Footprint[]> {
  const watched = belongings(lab).filter(({ role }) => role === "agent" || role === "fence");
  const before = new Map(watched.map(({ process }) => [process.pid, usageOf(process.pid)]));
  await sleep(forMs);
  return watched.flatMap(({ process, role, node }) => {
    const [was, is] = [before.get(process.pid), usageOf(process.pid)];
    if (was === undefined || is === undefined) return [];
    const cpuSecondsPerMinute = ((is.cpuMs - was.cpuMs) / 1000) * (60_000 / forMs);
    const residentMb = Math.round(is.residentKb / 102.4) / 10;
    return [{ node, role: role === "fence" ? "fence" : "agent", residentMb, cpuSecondsPerMinute }];
  });
}
