// The port to the server on this host, put together from the files that know how.
import { AppError } from "../../model/error.ts";
import type { NodeSettings } from "../../model/settings.ts";
import { after, type Ms } from "../../model/time.ts";
import type { Lineage } from "../../model/timeline.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Log } from "../../ports/log.ts";
import type { Postgres, ServerPlan, Upstream } from "../../ports/postgres.ts";
import { actAs, type OsUser } from "../system/os-user.ts";
import { cloneServer, removeReplaced } from "./basebackup.ts";
import { writeConfigFiles, writeUpstream } from "./config.ts";
import { readControlFile } from "./control-data.ts";
import { findCrashEnd } from "./crash-end.ts";
import { discardHalfBootstrap, initialise, noteFinished, noteStart } from "./initdb.ts";
import { writeLineage } from "./lineage.ts";
import { Observer } from "./observe.ts";
import { type Place, placeOf } from "./place.ts";
import { findPostmaster, signalPostmaster } from "./process.ts";
import { promoteServer } from "./promote.ts";
import { rewindServer } from "./rewind.ts";
import { createRoles, runPostBootstrap } from "./roles.ts";
import { localTarget, withSession } from "./session.ts";
import { checkParameters, renderFiles, replicationConnection, settle } from "./settle.ts";
import { syncSlots } from "./slots.ts";
import { type StartAs, startServer } from "./start.ts";
import { stopServer } from "./stop.ts";

export interface PostgresOptions {
  readonly settings: NodeSettings;
  readonly fence: Fence;
  readonly clock: Clock;
  readonly log: Log;
  /** Whom the server runs as; found from the settings when left out. */
  readonly user?: OsUser | undefined;
}

const STATEMENT_LIMIT_MS: Ms = 5000;
const CHECKPOINT_LIMIT_MS: Ms = 300_000;
const RECEIVER_GONE_MS: Ms = 2000;
const RECEIVER_POLL_MS: Ms = 5;

/** The server of this node. Close it to end its connection; the server itself is not touched. */
export function createPostgres(options: PostgresOptions): Postgres & { close(): void } {
  const user = options.user ?? actAs(options.settings.postgres.osUser);
  const place = placeOf({ ...options, user });
  const observer = new Observer(place);
  const start = async (as: StartAs, plan: ServerPlan, timeoutMs: Ms, signal: AbortSignal) => {
    observer.forget();
    await startServer(place, { plan, as, timeoutMs, signal });
    await noteStart(place);
    void removeReplaced(place).catch((error: unknown) => {
      place.log.warn("the replaced data directory cannot be removed", { error });
    });
  };
  return {
    close: () => observer.forget(),
    observe: (plan, timeoutMs) => observer.look(plan, timeoutMs),
    initialise: (plan, signal) => initialise(place, plan, signal),
    finishBootstrap: async (signal) => {
      await createRoles(place);
      await runPostBootstrap(place, signal);
      await noteFinished(place);
    },
    clone: (from, lineage, onProgress, signal) =>
      cloneServer(place, { from, lineage, onProgress, signal }),
    rewind: (from, lineage, onProgress, signal) =>
      rewindServer(place, { from, lineage, onProgress, signal }),
    discardHalfBootstrap: () => discardHalfBootstrap(place),
    startStandby: (plan, upstream, timeoutMs, signal) =>
      start({ role: "standby", upstream }, plan, timeoutMs, signal),
    startPrimary: (plan, timeoutMs, signal) => start({ role: "primary" }, plan, timeoutMs, signal),
    stop: async (timeoutMs, onShutdown, signal) => {
      await stopServer(place, { timeoutMs, onShutdown, signal });
      observer.forget();
    },
    checkpoint: (signal) => checkpoint(place, signal),
    follow: (upstream, signal) => follow(place, upstream, signal),
    promote: (branch, timeoutMs, signal) => promoteServer(place, { branch, timeoutMs, signal }),
    recordLineage: (lineage) => recordLineage(place, lineage),
    applySettings: async (plan, signal) => {
      await applySettings(place, plan, signal);
      observer.expectChanges();
    },
    syncSlots: (create, drop, positions, signal) =>
      syncSlots(place, { create, drop, positions }, signal),
    crashEnd: (from, lineage, timeoutMs, signal) =>
      findCrashEnd(place, { from, lineage, timeoutMs, signal }),
  };
}

async function checkpoint({ settings }: Place, signal: AbortSignal): Promise<void> {
  await withSession(localTarget(settings.postgres), STATEMENT_LIMIT_MS, async (session) => {
    const end = (): void => session.destroy();
    signal.addEventListener("abort", end, { once: true });
    try {
      await session.query("CHECKPOINT", [], CHECKPOINT_LIMIT_MS);
    } finally {
      signal.removeEventListener("abort", end);
    }
  });
}

async function follow(place: Place, upstream: Upstream | undefined, signal: AbortSignal) {
  const connection = upstream && replicationConnection(place, upstream);
  await writeUpstream(place.dataDir, connection, upstream?.slot, place.user);
  reload(place);
  if (upstream === undefined) await untilReceiverGone(place, signal);
}

function reload({ dataDir }: Place): void {
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

async function recordLineage({ dataDir, stateDir }: Place, branches: Lineage): Promise<void> {
  const control = await readControlFile(dataDir);
  if (control === undefined) {
    throw new AppError("NOT_POSSIBLE", "recording the lineage", "there is no data");
  }
  await writeLineage(stateDir, { systemId: control.systemId, branches, pending: undefined });
}

async function applySettings(place: Place, plan: ServerPlan, signal: AbortSignal): Promise<void> {
  const settled = await settle(place, plan);
  await checkParameters(place, settled, signal);
  await writeConfigFiles(place.dataDir, renderFiles(place, plan, settled), place.user);
  reload(place);
}
