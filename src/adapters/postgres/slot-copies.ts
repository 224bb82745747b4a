// How does a logical slot come to lie on a standby, and how is it moved there (the way that Patroni found)?
//
// Before version 17 PostgreSQL carries no logical slot to a standby. The slot is one small file; copied while the
// standby is down, it is read when the standby starts, and can be advanced there.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import { printLsn } from "../../model/lsn.ts";
import type { Ms } from "../../model/time.ts";
import type { CatalogHorizons, SlotCopy, SlotMove, Upstream } from "../../ports/postgres.ts";
import { syncDirectory, writeDurably } from "../system/durable-file.ts";
import { ensureDirectory, renameDurably } from "./files.ts";
import type { Place } from "./place.ts";
import { isDown } from "./process.ts";
import {
  localTarget,
  memberTarget,
  type Session,
  type SessionTarget,
  withSession,
} from "./session.ts";

const STATEMENT_LIMIT_MS: Ms = 3000;
/** Moving a slot reads the WAL between; what a statement has moved when it is cut off is kept. */
const ADVANCE_LIMIT_MS: Ms = 2500;

const READ = `
SELECT slot_name AS name, encode(pg_read_binary_file('pg_replslot/' || slot_name || '/state'), 'hex') AS state
FROM pg_replication_slots WHERE slot_type = 'logical' AND NOT temporary AND slot_name = ANY($1)`;

const HORIZONS = `
SELECT slot_name AS name, slot_type AS kind, catalog_xmin::text::bigint::float8 AS xmin
FROM pg_replication_slots WHERE catalog_xmin IS NOT NULL`;

/** Never beyond what this standby has replayed, never back, and never one that is being read. */
const ADVANCE = `
SELECT pg_replication_slot_advance(slot_name, least($2::pg_lsn, pg_last_wal_replay_lsn()))
FROM pg_replication_slots
WHERE slot_name = $1 AND slot_type = 'logical' AND NOT active AND pg_is_in_recovery()
  AND confirmed_flush_lsn < least($2::pg_lsn, pg_last_wal_replay_lsn())`;

/** As whoever may read files of the server: the role of pg_rewind has been granted just that. */
function leaderTarget({ settings }: Place, from: Upstream): SessionTarget {
  const { rewind, superuser, database } = settings.postgres;
  return memberTarget(from, rewind ?? superuser, database);
}

export async function readSlots(
  place: Place,
  from: Upstream,
  names: readonly string[],
): Promise<readonly SlotCopy[]> {
  const rows = await withSession(leaderTarget(place, from), STATEMENT_LIMIT_MS, (session) =>
    session.query(READ, [names], STATEMENT_LIMIT_MS),
  );
  return rows.map((row) => ({
    name: String(row["name"]),
    state: Buffer.from(String(row["state"]), "hex"),
  }));
}

/** A directory is renamed into place with its file in it: the server removes what still bears another name. */
export async function placeSlots(place: Place, copies: readonly SlotCopy[]): Promise<void> {
  const { dataDir, user } = place;
  if (!isDown(dataDir)) {
    throw new AppError("NOT_POSSIBLE", "placing copies of slots", "the server runs");
  }
  const slots = join(dataDir, "pg_replslot");
  for (const { name, state } of copies) {
    const draft = join(slots, `${name}.tmp`);
    await rm(draft, { recursive: true, force: true });
    await ensureDirectory(draft, user, 0o700);
    await writeDurably(join(draft, "state"), state, { owner: user });
    await rm(join(slots, name), { recursive: true, force: true });
    await renameDurably(draft, join(slots, name));
  }
  await syncDirectory(slots);
}

/** Each in a session of its own database: the server moves no other. */
export async function advanceCopies(place: Place, moves: readonly SlotMove[]): Promise<void> {
  const local = localTarget(place.settings.postgres);
  for (const { name, database, to } of moves) {
    await withSession({ ...local, database }, STATEMENT_LIMIT_MS, (session) =>
      session.query(ADVANCE, [name, printLsn(to)], ADVANCE_LIMIT_MS),
    );
  }
}

export async function catalogHorizons(
  place: Place,
  from: Upstream,
  ownSlot: string,
): Promise<CatalogHorizons> {
  const ask = (session: Session) => session.query(HORIZONS, [], STATEMENT_LIMIT_MS);
  const rows = await withSession(leaderTarget(place, from), STATEMENT_LIMIT_MS, ask);
  const of = (kind: string) =>
    Object.fromEntries(
      rows.filter((row) => row["kind"] === kind).map((row) => [row["name"], row["xmin"]]),
    ) as Record<string, number>;
  return { own: of("physical")[ownSlot], logical: of("logical") };
}
