// What changes on a running server without a restart: its parameters, its rules of access, its upstream.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import { after, type Ms } from "../../model/time.ts";
import type { ServerPlan, Upstream } from "../../ports/postgres.ts";
import { writeDurably } from "../system/durable-file.ts";
import { writeConfigFiles, writeUpstream } from "./config.ts";
import type { Place } from "./place.ts";
import { findPostmaster, signalPostmaster } from "./process.ts";
import { localTarget, withSession } from "./session.ts";
import { checkParameters, renderFiles, settle, walreceiverConnection } from "./settle.ts";

const STATEMENT_LIMIT_MS: Ms = 5000;
const RECEIVER_GONE_MS: Ms = 2000;
const RECEIVER_POLL_MS: Ms = 5;

/** Writes what the plan asks for and reloads; what the server would not accept never replaces what it has. */
export async function applySettings(
  place: Place,
  plan: ServerPlan,
  signal: AbortSignal,
): Promise<void> {
  const settled = await settle(place, plan);
  await checkParameters(place, settled, signal);
  const files = renderFiles(place, plan, settled);
  const hbaPath = join(place.dataDir, "pg_hba.conf");
  const before = await readFile(hbaPath, "utf8");
  await writeConfigFiles(place.dataDir, files, place.user);
  if (findPostmaster(place.dataDir) === undefined) return;
  if (before !== files.hba) {
    const wrong = await wrongRules(place);
    if (wrong !== undefined) {
      await writeDurably(hbaPath, before, { owner: place.user });
      throw new AppError("PG_PARAMETER_REFUSED", "checking pg_hba", wrong);
    }
  }
  reload(place);
}

/** The server reads the file on disk and says what is wrong with it, before a reload would. */
async function wrongRules({ settings }: Place): Promise<string | undefined> {
  const statement = `SELECT string_agg(format('line %s: %s', line_number, error), '; ') AS why
    FROM pg_hba_file_rules WHERE error IS NOT NULL`;
  const [row] = await withSession(localTarget(settings.postgres), STATEMENT_LIMIT_MS, (session) =>
    session.query(statement, [], STATEMENT_LIMIT_MS),
  );
  const why = row?.["why"];
  return typeof why === "string" ? why : undefined;
}

/** Points a running standby at another upstream, or at nobody. */
export async function follow(
  place: Place,
  upstream: Upstream | undefined,
  signal: AbortSignal,
): Promise<void> {
  const connection = upstream && walreceiverConnection(place, upstream);
  await writeUpstream(place.dataDir, { connection, slot: upstream?.slot }, place.user);
  reload(place);
  if (upstream === undefined) await untilReceiverGone(place, signal);
}

export function reload({ dataDir }: Place): void {
  const postmaster = findPostmaster(dataDir);
  if (postmaster !== undefined) signalPostmaster(postmaster, "SIGHUP");
}

/** "Follows nobody" is true only when the last connection has ended, not when the file says so (R22). */
async function untilReceiverGone({ settings, clock }: Place, signal: AbortSignal): Promise<void> {
  const limit = after(clock.now(), RECEIVER_GONE_MS);
  const statement = `SELECT 1 WHERE current_setting('primary_conninfo') <> ''
    UNION ALL SELECT 1 FROM pg_stat_wal_receiver WHERE pid IS NOT NULL`;
  await withSession(localTarget(settings.postgres), STATEMENT_LIMIT_MS, async (session) => {
    while ((await session.query(statement, [], STATEMENT_LIMIT_MS)).length > 0) {
      if (clock.now() >= limit) {
        const why = `the walreceiver is still there after ${RECEIVER_GONE_MS} ms`;
        throw new AppError("TIMEOUT", "ceasing to follow", why);
      }
      await clock.sleep(RECEIVER_POLL_MS, signal);
    }
  });
}
