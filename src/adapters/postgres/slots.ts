// Which WAL is kept for whom? One physical slot for each member, on every server that may lead (R42), and the
// permanent ones.
import { AppError } from "../../model/error.ts";
import { type Lsn, printLsn } from "../../model/lsn.ts";
import type { PermanentSlot } from "../../model/slot.ts";
import type { Ms } from "../../model/time.ts";
import { readControlFile } from "./control-data.ts";
import type { Place } from "./place.ts";
import { localTarget, type Session, sqlState, withSession } from "./session.ts";

const STATEMENT_LIMIT_MS: Ms = 5000;
const DUPLICATE = "42710";
const IN_USE = "55006";
const MISSING = "42704";

/** Reserved at once: the WAL from this moment on is kept, not only from the first connection. */
const CREATE = "SELECT pg_create_physical_replication_slot($1, true)";
/** By kind as well: a logical slot of that name is somebody's, whatever our record says. */
const DROP = `
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
WHERE slot_name = $1 AND slot_type = 'physical' AND NOT active`;

/**
 * Never beyond what this server has itself, never backwards, and only where nobody streams: an active slot follows
 * its standby.
 */
const ADVANCE = `
SELECT pg_replication_slot_advance(slot_name, least($2::pg_lsn, mine.lsn))
FROM pg_replication_slots, (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
  ELSE pg_current_wal_flush_lsn() END AS lsn) mine
WHERE slot_name = $1 AND slot_type = 'physical' AND NOT active
  AND (restart_lsn IS NULL OR restart_lsn < least($2::pg_lsn, mine.lsn))`;

const CREATE_LOGICAL = `
SELECT pg_create_logical_replication_slot($1, $2)
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)`;

export interface SlotWork {
  readonly create: readonly string[];
  readonly drop: readonly string[];
  readonly positions: Readonly<Record<string, Lsn>>;
}

/** Does it all on one connection. A slot that somebody else made, took or dropped meanwhile is as it should be. */
export async function syncSlots(
  place: Place,
  { create, drop, positions }: SlotWork,
  signal: AbortSignal,
): Promise<void> {
  const moves = Object.entries(positions);
  if (create.length + drop.length + moves.length === 0) return;
  const systemId = (await readControlFile(place.dataDir))?.systemId ?? "";
  await withSession(localTarget(place.settings.postgres), STATEMENT_LIMIT_MS, async (session) => {
    const run = async (statement: string, values: readonly string[], accepted: string) => {
      signal.throwIfAborted();
      await tolerate(session.query(statement, values, STATEMENT_LIMIT_MS), accepted);
    };
    if (create.length > 0) {
      const there = await namesOf(session);
      const missing = create.filter((name) => !there.has(name));
      await place.ownSlots.add(systemId, missing);
      for (const name of missing) await run(CREATE, [name], DUPLICATE);
    }
    for (const name of drop) await run(DROP, [name], `${IN_USE} ${MISSING}`);
    if (drop.length > 0) {
      const there = await namesOf(session);
      await place.ownSlots.remove(
        systemId,
        drop.filter((name) => !there.has(name)),
      );
    }
    for (const [name, at] of moves) {
      await run(ADVANCE, [name, printLsn(at)], `${IN_USE} ${MISSING}`);
    }
  });
}

/** An idle slot of any kind; the server itself refuses one that is being read. */
export async function dropSlot(place: Place, name: string): Promise<void> {
  const statement = "SELECT pg_drop_replication_slot($1)";
  await withSession(localTarget(place.settings.postgres), STATEMENT_LIMIT_MS, (session) =>
    tolerate(session.query(statement, [name], STATEMENT_LIMIT_MS), MISSING),
  );
  const systemId = (await readControlFile(place.dataDir))?.systemId ?? "";
  await place.ownSlots.remove(systemId, [name]);
}

async function namesOf(session: Session): Promise<ReadonlySet<unknown>> {
  const statement = "SELECT slot_name FROM pg_replication_slots";
  const rows = await session.query(statement, [], STATEMENT_LIMIT_MS);
  return new Set(rows.map((row) => row["slot_name"]));
}

/** Each in its own database; one that cannot be made does not keep the others from it. */
export async function createLogicalSlots(
  place: Place,
  slots: readonly PermanentSlot[],
  signal: AbortSignal,
): Promise<void> {
  const failed: string[] = [];
  for (const { name, logical } of slots) {
    if (logical === undefined) continue;
    signal.throwIfAborted();
    const target = { ...localTarget(place.settings.postgres), database: logical.database };
    try {
      await withSession(target, STATEMENT_LIMIT_MS, (session) =>
        session.query(CREATE_LOGICAL, [name, logical.plugin], STATEMENT_LIMIT_MS),
      );
    } catch (error) {
      if (sqlState(error) === DUPLICATE) continue;
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (failed.length > 0) {
    throw new AppError("PG_SQL_FAILED", "creating logical slots", failed.join("; "));
  }
}

async function tolerate(work: Promise<unknown>, states: string): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!states.split(" ").includes(sqlState(error) ?? "none")) throw error;
  }
}
