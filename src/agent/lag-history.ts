// How was lag an hour ago? Lines in two files of bounded size: when the newer one is full it becomes the older one.
import { appendFile, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { type LagMoment, parseMoment, printMoment } from "../model/lag/moment.ts";
import type { LagReport } from "../model/lag/report.ts";
import type { Ms } from "../model/time.ts";

/** Both together are never larger than two of these: at one standby and ten seconds, four days. */
const LARGEST_BYTES = 1024 * 1024;
const BUSY_EVERY_MS: Ms = 10_000;
/** Where nothing is behind, a line a minute says so. */
const CALM_EVERY_MS: Ms = 60_000;

export interface LagHistory {
  /** Notes the report if it is time to. Throws what the disk says. */
  note(report: LagReport, wallMs: number): Promise<void>;
  /** Oldest first. */
  since(wallMs: number): Promise<readonly LagMoment[]>;
}

export function openLagHistory(stateDir: string, largest = LARGEST_BYTES): LagHistory {
  const newer = join(stateDir, "lag-history.jsonl");
  const older = join(stateDir, "lag-history.1.jsonl");
  let notedAt: number | undefined;
  let wasBehind = false;
  return {
    async note(report, wallMs) {
      const moments = momentsOf(report, wallMs);
      const isBehind = moments.some(({ behindBytes }) => behindBytes > 0);
      const every = isBehind || wasBehind ? BUSY_EVERY_MS : CALM_EVERY_MS;
      // A clock that was set back must not silence the history.
      const isDue = notedAt === undefined || Math.abs(wallMs - notedAt) >= every;
      if (moments.length === 0 || !isDue) return;
      notedAt = wallMs;
      wasBehind = isBehind;
      const size = await stat(newer).then(
        (found) => found.size,
        () => 0,
      );
      if (size >= largest) await rename(newer, older);
      await appendFile(newer, moments.map((moment) => `${printMoment(moment)}\n`).join(""), {
        mode: 0o600,
      });
    },
    async since(wallMs) {
      const texts = await Promise.all(
        [older, newer].map((path) => readFile(path, "utf8").catch(() => "")),
      );
      return texts
        .flatMap((text) => text.split("\n").flatMap(parseMoment))
        .filter(({ at }) => at >= wallMs);
    },
  };
}

const momentsOf = ({ standbys }: LagReport, at: number): readonly LagMoment[] =>
  standbys.map(({ name, stages: { sent, write, flush, replay } }) => ({
    at,
    name,
    gaps: [sent.gapBytes, write.gapBytes, flush.gapBytes, replay.gapBytes],
    behindBytes: replay.behindBytes,
    behindMs: replay.behindMs,
  }));
