// For whom does a commit wait, and does every process of the server know it yet?
//
// Three kinds of process go by this setting, each with a copy of its own: the checkpointer, whose flag makes backends
// wait at all; each walsender, which releases the waiting by the names that it has read; the session that one asks,
// whose answer says nothing about the others.
import { AppError } from "../../model/error.ts";
import { parseLsn } from "../../model/lsn.ts";
import { printSyncNames, type SyncNames } from "../../model/sync.ts";
import { after, between, type Ms } from "../../model/time.ts";
import type { ClosedGate } from "../../ports/postgres.ts";
import { reload } from "./apply.ts";
import { writeSyncNames } from "./config.ts";
import type { Place } from "./place.ts";
import { findPostmaster } from "./process.ts";
import { localTarget, Session, withSession } from "./session.ts";

const STATEMENT_LIMIT_MS: Ms = 2_000;
const SHOWN_LIMIT_MS: Ms = 2_000;
const POLL_MS: Ms = 5;

/** Writes the names and reloads; resolves when a session shows them. */
export async function setSyncNames(
  place: Place,
  names: SyncNames,
  signal: AbortSignal,
): Promise<void> {
  const { dataDir, user, settings, clock } = place;
  await writeSyncNames(dataDir, names, user);
  if (findPostmaster(dataDir) === undefined) return;
  reload(place);
  const wanted = printSyncNames(names);
  if (wanted === undefined) return;
  const limit = after(clock.now(), SHOWN_LIMIT_MS);
  await withSession(localTarget(settings.postgres), STATEMENT_LIMIT_MS, async (session) => {
    for (;;) {
      const [row] = await session.query(SHOWN, [], STATEMENT_LIMIT_MS);
      if (row?.["names"] === wanted) return;
      if (clock.now() >= limit) {
        const why = `the server goes by ${String(row?.["names"])}`;
        throw new AppError("TIMEOUT", `waiting for ${wanted} in synchronous_standby_names`, why);
      }
      await clock.sleep(POLL_MS, signal);
    }
  });
}

const SHOWN = "SELECT current_setting('synchronous_standby_names') AS names";

/**
 * A walsender's priority in the view is the word of that walsender, from its own copy of the names: while one of them
 * is above zero, somebody may still be released by names of before.
 */
const GATE = `
SELECT current_setting('synchronous_standby_names') AS names,
  coalesce((SELECT wait_event = 'SyncRep' FROM pg_stat_activity WHERE pid = $1), false) AS waits,
  coalesce((SELECT max(sync_priority) FROM pg_stat_replication), 0)::int AS priority`;

/** R20: the checkpointer is known by a commit of our own that waits, the walsenders by their priorities. */
export async function proveClosed(
  place: Place,
  timeoutMs: Ms,
  signal: AbortSignal,
): Promise<ClosedGate> {
  const { settings, clock } = place;
  const target = localTarget(settings.postgres);
  const limit = after(clock.now(), timeoutMs);
  using watcher = await Session.open(target, STATEMENT_LIMIT_MS);
  let why = "";
  while (clock.now() < limit && !signal.aborted) {
    const left = Math.max(1, between(clock.now(), limit));
    await using canary = await Canary.send(target, watcher, left);
    while (!canary.isAnswered && clock.now() < limit && !signal.aborted) {
      const [gate] = await watcher.query(GATE, [canary.pid], STATEMENT_LIMIT_MS);
      why = whyOpen(gate);
      if (why === "" && !canary.isAnswered) return { kind: "closed", end: await endOf(watcher) };
      await clock.sleep(POLL_MS, signal);
    }
    if (canary.isAnswered) why = "a commit of our own was acknowledged";
  }
  return { kind: "unproven", why };
}

function whyOpen(gate: Readonly<Record<string, unknown>> | undefined): string {
  const closed = printSyncNames({ kind: "closed" });
  if (gate?.["names"] !== closed) return `the server goes by ${String(gate?.["names"])}`;
  if (gate?.["priority"] !== 0) return "a walsender still goes by the names of before";
  return gate["waits"] === true ? "" : "our own commit does not wait yet";
}

/** Read after the proof: whatever was acknowledged by older rules lies before it. */
async function endOf(watcher: Session) {
  const [row] = await watcher.query(
    "SELECT pg_current_wal_flush_lsn()::text AS lsn",
    [],
    STATEMENT_LIMIT_MS,
  );
  const end = parseLsn(String(row?.["lsn"]));
  if (end === undefined) throw new AppError("PG_SQL_FAILED", "reading the end of the WAL");
  return end;
}

/** A commit that wants a standby's word. Its backend is ended, never its wait cancelled (R34). */
class Canary {
  readonly pid: number;
  readonly #session: Session;
  readonly #watcher: Session;
  isAnswered = false;

  private constructor(session: Session, watcher: Session, pid: number) {
    this.#session = session;
    this.#watcher = watcher;
    this.pid = pid;
  }

  static async send(
    target: Parameters<typeof Session.open>[0],
    watcher: Session,
    limitMs: Ms,
  ): Promise<Canary> {
    const session = await Session.open(target, STATEMENT_LIMIT_MS);
    const [row] = await session.query(
      "SELECT pg_backend_pid() AS pid, set_config('synchronous_commit', 'on', false)",
      [],
      STATEMENT_LIMIT_MS,
    );
    const canary = new Canary(session, watcher, Number(row?.["pid"]));
    const commit = "SELECT pg_logical_emit_message(true, 'understudy', 'gate')";
    void session.query(commit, [], limitMs + STATEMENT_LIMIT_MS).then(
      () => (canary.isAnswered = true),
      // Ended by us, or with the server: either way it was not acknowledged.
      () => undefined,
    );
    return canary;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher
      .query("SELECT pg_terminate_backend($1)", [this.pid], STATEMENT_LIMIT_MS)
      .catch(() => undefined);
    this.#session.destroy();
  }
}
