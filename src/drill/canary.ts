// Which transaction was the last one before recovery ended, and does the copy have it?
//
// The WAL names it with its time, and the copy is asked whether it is committed there. So nothing has to be written into
// anybody's database to know up to which moment the data is there.
import { join } from "node:path";
import { findProgram } from "../adapters/postgres/programs.ts";
import type { Session } from "../adapters/postgres/session.ts";
import { run } from "../adapters/system/spawn.ts";
import type { LastCommit } from "../model/drill.ts";
import { type Lsn, parseLsn, printLsn } from "../model/lsn.ts";
import type { NodeSettings } from "../model/settings.ts";
import { parseWalName, segmentNumber, segmentStart } from "../model/wal-name.ts";
import { parseRfc3339 } from "../model/wire/rfc3339.ts";

export interface CanaryWish {
  readonly dataDir: string;
  /** Names of the segments that were fetched, in order. */
  readonly segments: readonly string[];
  readonly segmentBytes: number;
  readonly endLsn: Lsn;
  readonly settings: NodeSettings;
  readonly signal: AbortSignal;
}

/** How much of the WAL is looked through, so that a day without writes does not cost an hour. */
export const CANARY_SEGMENTS = 16;
const LIMIT_MS = 120_000;
const KEPT_BYTES = 64 * 1024;
const ASK_LIMIT_MS = 10_000;
/** `tx: 742, lsn: 0/3000148, prev 0/3000110, desc: COMMIT 2026-11-27 08:20:01.123456 UTC` */
const COMMIT =
  /\btx:\s+(\d+), lsn: ([0-9A-F]+\/[0-9A-F]+), .*desc: COMMIT (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC/g;

/** Undefined when the last segments hold no commit: a quiet cluster, or none of them was needed. */
export async function findLastCommit(wish: CanaryWish): Promise<LastCommit | undefined> {
  const { segments, segmentBytes, endLsn } = wish;
  const before = segments.filter((name) => {
    const parsed = parseWalName(name, segmentBytes);
    return parsed?.kind === "segment" && segmentStart(parsed.number, segmentBytes) < endLsn;
  });
  for (const name of before.slice(-CANARY_SEGMENTS).toReversed()) {
    const found = await lastIn(name, wish);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function lastIn(name: string, wish: CanaryWish): Promise<LastCommit | undefined> {
  const { dataDir, settings, segmentBytes, endLsn, signal } = wish;
  const parsed = parseWalName(name, segmentBytes);
  const endsHere =
    parsed?.kind === "segment" && segmentNumber(endLsn, segmentBytes) === parsed.number;
  const { stdout } = await run({
    program: await findProgram({ dataDir, settings }, "pg_waldump"),
    args: [
      `--path=${join(dataDir, "pg_wal")}`,
      "--rmgr=Transaction",
      ...(endsHere ? [`--end=${printLsn(endLsn)}`] : []),
      name,
    ],
    timeoutMs: LIMIT_MS,
    maxOutputBytes: KEPT_BYTES,
    environment: { TZ: "UTC" },
    signal,
  });
  const commits = [...stdout.matchAll(COMMIT)].flatMap(([, xid = "", at = "", time = ""]) => {
    const lsn = parseLsn(at);
    const atMs = parseRfc3339(`${time}Z`);
    return lsn === undefined || atMs === undefined || lsn >= endLsn || xid === "0"
      ? []
      : [{ xid, atMs }];
  });
  return commits.at(-1);
}

/** The number is of 32 bits in the WAL; the copy knows which round it belongs to. Undefined: too old to be told. */
export async function isCommitted(
  session: Session,
  { xid }: LastCommit,
): Promise<boolean | undefined> {
  const sql = `
    WITH s AS (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::numeric AS next)
    SELECT pg_xact_status((next - mod(next - $1::numeric, 4294967296))::text::xid8) AS status FROM s`;
  const [row] = await session.query(sql, [xid], ASK_LIMIT_MS);
  const status = row?.["status"];
  return typeof status === "string" ? status === "committed" : undefined;
}
