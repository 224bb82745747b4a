// Where does the WAL of a crashed server end (R24)?
//
// pg_waldump reads records until the first one that is not valid and then fails: for a crashed server that failure is
// the normal end, but so are a missing file or a bad disk. Its words are not parsed. Instead its last record gives a
// candidate for the end, and our own reader looks at what follows: if there is a valid record, pg_waldump stopped for
// another reason and the end is unknown; if there is none, two independent readers agree that recovery would stop
// here as well.
import { AppError } from "../../model/error.ts";
import { type Lsn, lsn, parseLsn } from "../../model/lsn.ts";
import { after, between, type Ms } from "../../model/time.ts";
import type { Lineage } from "../../model/timeline.ts";
import type { CrashEnd } from "../../ports/postgres.ts";
import { run } from "../system/spawn.ts";
import { type ControlFile, readControlFile } from "./control-data.ts";
import { hasHistory } from "./history.ts";
import { lineageOf, readLineage } from "./lineage.ts";
import type { Place } from "./place.ts";
import { isDown } from "./process.ts";
import { findProgram } from "./programs.ts";
import { hasRecordAfter, recordEnd, segmentStart } from "./wal.ts";
import { scanStarts, walReader } from "./wal-files.ts";

export interface CrashOptions {
  readonly from: Lsn;
  readonly lineage: Lineage;
  readonly timeoutMs: Ms;
  readonly signal: AbortSignal;
}

const RECORD =
  /^rmgr: (\S+)\s+len \(rec\/tot\):\s*\d+\/\s*(\d+), tx:\s*\d+, lsn: (\S+), prev \S+, desc: (\S+)/;
/** The last lines are enough, and a segment of small records prints tens of megabytes. */
const KEPT_BYTES = 64 * 1024;

const unknown = (why: string): CrashEnd => ({ kind: "unknown", why });

/** Answers "unknown" whenever anything is out of the ordinary: then the server is restarted in place. */
export async function findCrashEnd(place: Place, options: CrashOptions): Promise<CrashEnd> {
  const { clock, dataDir } = place;
  const limit = after(clock.now(), options.timeoutMs);
  if (!isDown(dataDir)) return unknown("processes of the server remain");
  const control = await readControlFile(dataDir);
  if (control === undefined) return unknown("there is no control file");
  if (control.state !== "in production") return unknown(`the server was ${control.state}`);
  const timeline = await agreedTimeline(place, options.lineage, control);
  if (timeline === undefined) return unknown("the data is on another branch of history");
  const { segmentSize } = control;
  let last: LastRecord | string = "there is nothing to scan";
  for (const start of scanStarts(options.from, segmentSize)) {
    const timeoutMs = Math.max(1, between(clock.now(), limit));
    last = await lastRecord(place, { ...options, timeline, start, timeoutMs });
    if (typeof last !== "string") break;
  }
  if (typeof last === "string") return unknown(last);
  const end = last.isSwitch
    ? segmentStart(lsn(last.start + BigInt(segmentSize)), segmentSize)
    : recordEnd(last.start, last.length, segmentSize);
  using wal = walReader(dataDir, timeline, segmentSize);
  if (hasRecordAfter(wal.read, { previous: last.start, end, segmentSize })) {
    return unknown("the scan stopped before the end");
  }
  if (clock.now() >= limit) return unknown("the scan took too long");
  return { kind: "end", lsn: end };
}

/** The timeline that the crashed server wrote on, if everybody names the same and the same terms. */
async function agreedTimeline(
  place: Place,
  lineage: Lineage,
  control: ControlFile,
): Promise<number | undefined> {
  const { dataDir } = place;
  const record = await readLineage(place, control);
  const pending = record.pending?.timeline;
  const isBegun = pending !== undefined && (await hasHistory(dataDir, pending));
  const timeline = isBegun ? pending : Math.max(control.timeline, headTimeline(record.branches));
  const mine = lineageOf(record, timeline);
  const [my, their] = [mine.at(-1), lineage.at(-1)];
  const isAgreed =
    my !== undefined &&
    my.timeline === timeline &&
    my.timeline === their?.timeline &&
    my.term === their.term;
  if (!isAgreed || (await hasHistory(dataDir, timeline + 1))) return undefined;
  return timeline;
}

const headTimeline = (branches: Lineage): number => branches.at(-1)?.timeline ?? 0;

interface LastRecord {
  readonly start: Lsn;
  readonly length: number;
  /** The rest of the segment after such a record is left empty. */
  readonly isSwitch: boolean;
}

async function lastRecord(
  place: Place,
  scan: {
    readonly timeline: number;
    readonly start: Lsn;
    readonly timeoutMs: Ms;
    readonly signal: AbortSignal;
  },
): Promise<LastRecord | string> {
  const text = `${(scan.start >> 32n).toString(16)}/${(scan.start & 0xffffffffn).toString(16)}`;
  try {
    const { code, stdout } = await run({
      program: await findProgram(place, "pg_waldump"),
      args: ["-p", `${place.dataDir}/pg_wal`, "-t", String(scan.timeline), "-s", text],
      user: place.user,
      timeoutMs: scan.timeoutMs,
      signal: scan.signal,
      maxOutputBytes: KEPT_BYTES,
    });
    if (code !== 1) return `pg_waldump ended with ${code ?? "a signal"}`;
    const line = stdout.slice(0, stdout.lastIndexOf("\n")).split("\n").at(-1) ?? "";
    const [, manager, length, position, description] = RECORD.exec(line) ?? [];
    const start = parseLsn(position ?? "");
    if (start === undefined) return "pg_waldump found no record";
    const isSwitch = manager === "XLOG" && description === "SWITCH";
    return { start, length: Number(length), isSwitch };
  } catch (error) {
    const why = error instanceof AppError ? error.why : String(error);
    return `pg_waldump did not answer: ${why}`;
  }
}
