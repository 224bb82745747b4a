// Which WAL is kept for whom? One physical slot for each member, on every server that may lead (R42).
import { type Lsn, printLsn } from "../../model/lsn.ts";
import type { Ms } from "../../model/time.ts";
import type { Place } from "./place.ts";
import { localTarget, sqlState, withSession } from "./session.ts";

const STATEMENT_LIMIT_MS: Ms = 5000;
const DUPLICATE = "42710";
const IN_USE = "55006";
const MISSING = "42704";

/** Reserved at once: the WAL from this moment on is kept, not only from the first connection. */
const CREATE = "SELECT pg_create_physical_replication_slot($1, true)";
const DROP = "SELECT pg_drop_replication_slot($1)";

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
  await withSession(localTarget(place.settings.postgres), STATEMENT_LIMIT_MS, async (session) => {
    const run = async (statement: string, values: readonly string[], accepted: string) => {
      signal.throwIfAborted();
      await tolerate(session.query(statement, values, STATEMENT_LIMIT_MS), accepted);
    };
    for (const name of create) await run(CREATE, [name], DUPLICATE);
    for (const name of drop) {
      await run(DROP, [name], `${IN_USE} ${MISSING}`);
    }
    for (const [name, at] of moves) {
      await run(ADVANCE, [name, printLsn(at)], `${IN_USE} ${MISSING}`);
    }
  });
}

async function tolerate(work: Promise<unknown>, states: string): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!states.split(" ").includes(sqlState(error) ?? "none")) throw error;
  }
}
