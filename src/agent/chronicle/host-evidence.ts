// What does the host say about the end of a server? Asked at once, since it is forgotten soon.
import { readFile, statfs } from "node:fs/promises";
import { freemem } from "node:os";
import type { HostEvidence } from "../../model/event.ts";
import { lastLines } from "../log-tail.ts";

const LOG_LINES = 12;
const LONGEST_LINE = 300;

export interface EvidencePlaces {
  readonly dataDir: string;
  readonly serverLog: string;
  /** Tests look at another one. */
  readonly procRoot?: string;
}

/** Counts the processes that the kernel has killed for want of memory, on the whole host; undefined where it does not say. */
export async function oomKillsOf(procRoot = "/proc"): Promise<number | undefined> {
  try {
    const text = await readFile(`${procRoot}/vmstat`, "utf8");
    const line = /^oom_kill (\d+)$/m.exec(text);
    return line?.[1] === undefined ? undefined : Number(line[1]);
  } catch {
    return undefined;
  }
}

/** Everything at this moment; `oomKillsBefore` is the count of a calmer one. Never throws. */
export async function gatherEvidence(
  places: EvidencePlaces,
  oomKillsBefore: number | undefined,
): Promise<HostEvidence> {
  const [kills, disk, { lines }] = await Promise.all([
    oomKillsOf(places.procRoot),
    statfs(places.dataDir).catch(() => undefined),
    lastLines(places.serverLog, LOG_LINES),
  ]);
  return {
    ...(kills === undefined || oomKillsBefore === undefined
      ? {}
      : { oomKills: Math.max(0, kills - oomKillsBefore) }),
    memoryFreeBytes: freemem(),
    ...(disk === undefined ? {} : { diskFreeBytes: disk.bavail * disk.bsize }),
    logLines: lines.map((line) => line.slice(0, LONGEST_LINE)),
  };
}
