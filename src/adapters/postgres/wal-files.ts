// Reads the WAL on disk: which timeline has it come to, where does the last checkpoint record end, what follows a record?
import { closeSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { type Lsn, lsn } from "../../model/lsn.ts";
import type { ControlFile } from "./control-data.ts";
import { namesIn } from "./files.ts";
import { RECORD_HEADER, type ReadWal, recordEnd, segmentName, WAL_PAGE } from "./wal.ts";

const NEAR_BYTES = BigInt(32 * WAL_PAGE);

/**
 * The end of the last checkpoint record: after a clean stop, the end of all WAL. Undefined when the segment is not
 * there or holds something else at that place.
 */
export async function readCheckpointEnd(
  dataDir: string,
  control: ControlFile,
): Promise<Lsn | undefined> {
  const { checkpointLsn, timeline, segmentSize } = control;
  const name = segmentName(timeline, checkpointLsn, segmentSize);
  try {
    await using file = await open(join(dataDir, "pg_wal", name), "r");
    const bytes = Buffer.alloc(4);
    const position = Number(checkpointLsn % BigInt(segmentSize));
    const { bytesRead } = await file.read(bytes, 0, 4, position);
    const length = bytes.readUInt32LE(0);
    if (bytesRead < 4 || length < RECORD_HEADER) return undefined;
    return recordEnd(checkpointLsn, length, segmentSize);
  } catch {
    return undefined;
  }
}

const SEGMENT_NAME = /^[0-9A-F]{24}$/;

/**
 * The newest timeline of which there is a segment, 0 without any. A standby gets one only after its startup process has
 * compared the histories and gone over to that timeline; its history file alone comes earlier, and proves nothing.
 */
export async function newestTimeline(dataDir: string): Promise<number> {
  let newest = "";
  for (const name of await namesIn(join(dataDir, "pg_wal"))) {
    if (name > newest && SEGMENT_NAME.test(name)) newest = name;
  }
  return newest === "" ? 0 : Number.parseInt(newest.slice(0, 8), 16);
}

/** A reader of the WAL of one timeline in pg_wal. Dispose it to close its files. */
export function walReader(dataDir: string, timeline: number, segmentSize: number) {
  const files = new Map<string, number>();
  const fileOf = (at: Lsn): number | undefined => {
    const name = segmentName(timeline, at, segmentSize);
    const known = files.get(name);
    if (known !== undefined) return known;
    try {
      const file = openSync(join(dataDir, "pg_wal", name), "r");
      files.set(name, file);
      return file;
    } catch {
      return undefined;
    }
  };
  const read: ReadWal = (at, length) => {
    const file = fileOf(at);
    if (file === undefined) return undefined;
    const bytes = Buffer.alloc(length);
    const got = readSync(file, bytes, 0, length, Number(at % BigInt(segmentSize)));
    return got === length ? bytes : undefined;
  };
  return {
    read,
    [Symbol.dispose](): void {
      for (const file of files.values()) closeSync(file);
    },
  };
}

/**
 * Where a scan for the end may begin, best first: a little before `at`, so that it is short, then the start of its
 * segment, in case one long record fills all that lies between. From any page pg_waldump finds the next record by
 * itself. A position on a boundary counts to what lies before it, or there would be no record to find.
 */
export function scanStarts(at: Lsn, segmentSize: number): readonly Lsn[] {
  const last = at > 0n ? at - 1n : at;
  const segment = last - (last % BigInt(segmentSize));
  const near = last - (last % BigInt(WAL_PAGE)) - NEAR_BYTES;
  return near > segment ? [lsn(near), lsn(segment)] : [lsn(segment)];
}
