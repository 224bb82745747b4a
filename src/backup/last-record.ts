// Where does the last record of the fetched WAL begin? That is what "latest" means, said as a position.
//
// With a position as its target PostgreSQL refuses to open a copy whose WAL ends earlier, for whatever reason.
import { join } from "node:path";
import { findProgram } from "../adapters/postgres/programs.ts";
import { run } from "../adapters/system/spawn.ts";
import { AppError } from "../model/error.ts";
import { type Lsn, parseLsn, printLsn } from "../model/lsn.ts";
import type { NodeSettings } from "../model/settings.ts";
import { filesOf, type WalWindow } from "../model/wal-window.ts";

export interface LastRecordWish {
  readonly directory: string;
  readonly window: WalWindow;
  readonly settings: NodeSettings;
  readonly signal: AbortSignal;
}

const LIMIT_MS = 120_000;
const KEPT_BYTES = 64 * 1024;
/** A record that fills several segments is as good as unheard of. */
const MOST_SEGMENTS = 8;

export async function findLastRecord(wish: LastRecordWish): Promise<Lsn> {
  const { endLsn } = wish.window;
  for (const name of filesOf(wish.window).slice(-MOST_SEGMENTS).toReversed()) {
    const found = await lastIn(name, wish);
    if (found !== undefined) return found;
  }
  const attempt = `looking for the last record before ${printLsn(endLsn)}`;
  throw new AppError("RESTORE_FAILED", attempt, "the last segments hold no beginning of a record");
}

/** The last line tells of the last record. That the rest of a segment is empty is no failure. */
async function lastIn(name: string, wish: LastRecordWish): Promise<Lsn | undefined> {
  const { directory, settings, window, signal } = wish;
  const { stdout } = await run({
    program: await findProgram({ dataDir: directory, settings }, "pg_waldump"),
    args: ["--path", join(directory, "pg_wal"), name],
    timeoutMs: LIMIT_MS,
    maxOutputBytes: KEPT_BYTES,
    signal,
  });
  const positions = [...stdout.matchAll(/, lsn: ([0-9A-F]+\/[0-9A-F]+), prev /g)].flatMap(
    ([, text]) => parseLsn(text ?? "") ?? [],
  );
  return positions.findLast((at) => at < window.endLsn);
}
