// The port to the server on this host, put together from the files that know how.
import { AppError } from "../../model/error.ts";
import type { NodeSettings } from "../../model/settings.ts";
import type { Ms } from "../../model/time.ts";
import type { Lineage } from "../../model/timeline.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Log } from "../../ports/log.ts";
import type { Postgres, ServerPlan } from "../../ports/postgres.ts";
import type { RunTask } from "../../ports/worker.ts";
import { actAs, type OsUser } from "../system/os-user.ts";
import { applySettings, follow } from "./apply.ts";
import { cloneServer, removeReplaced } from "./basebackup.ts";
import { readControlFile } from "./control-data.ts";
import { findCrashEnd } from "./crash-end.ts";
import { checkGround } from "./ground.ts";
import { discardHalfBootstrap, initialise, noteFinished, noteStart } from "./initdb.ts";
import { writeLineage } from "./lineage.ts";
import { Observer } from "./observe.ts";
import { askBeforePromote } from "./own-hooks.ts";
import { type Place, placeOf } from "./place.ts";
import { promoteServer } from "./promote.ts";
import { lookAtSite } from "./remote-site.ts";
import { rewindServer } from "./rewind.ts";
import { createRoles, runPostBootstrap } from "./roles.ts";
import { localTarget, withSession } from "./session.ts";
import { advanceCopies, catalogHorizons, placeSlots, readSlots } from "./slot-copies.ts";
import { createLogicalSlots, dropSlot, syncSlots } from "./slots.ts";
import { type StartOptions, startServer } from "./start.ts";
import { stopServer } from "./stop.ts";
import { proveClosed, setSyncNames } from "./sync-names.ts";

export interface PostgresOptions {
  readonly settings: NodeSettings;
  readonly fence: Fence;
  readonly clock: Clock;
  readonly log: Log;
  /** Whom the server runs as; found from the settings when left out. */
  readonly user?: OsUser | undefined;
  /** Makes data from backups. */
  readonly runTask?: RunTask | undefined;
}

const STATEMENT_LIMIT_MS: Ms = 5000;
const CHECKPOINT_LIMIT_MS: Ms = 300_000;

export interface OwnPostgres extends Postgres {
  /** Throws what a person must put right before a server can run here; changes nothing. */
  checkGround(plan: ServerPlan): Promise<void>;
  /** Ends our connection; the server itself is not touched. */
  close(): void;
}

/** The server of this node. */
export function createPostgres(options: PostgresOptions): OwnPostgres {
  const user = options.user ?? actAs(options.settings.postgres.osUser);
  const place = placeOf({ ...options, user });
  const observer = new Observer(place);
  const start = async (how: StartOptions): Promise<void> => {
    observer.forget();
    await startServer(place, how);
    await noteStart(place);
    void removeReplaced(place).catch((error: unknown) => {
      place.log.warn("the replaced data directory cannot be removed", { error });
    });
  };
  return {
    close: () => observer.forget(),
    checkGround: (plan) => checkGround(place, plan),
    observe: (plan, timeoutMs) => observer.look(plan, timeoutMs),
    initialise: (plan, onProgress, signal) => initialise(place, { plan, onProgress, signal }),
    finishBootstrap: async (signal) => {
      await createRoles(place);
      await runPostBootstrap(place, signal);
      await noteFinished(place);
    },
    // oxlint-disable-next-line eslint/max-params -- the port's own shape
    clone: (from, lineage, onProgress, signal) =>
      cloneServer(place, { from, lineage, onProgress, signal }),
    // oxlint-disable-next-line eslint/max-params -- the port's own shape
    rewind: (from, lineage, onProgress, signal) =>
      rewindServer(place, { from, lineage, onProgress, signal }),
    discardHalfBootstrap: () => discardHalfBootstrap(place),
    // oxlint-disable-next-line eslint/max-params -- the port's own shape
    startStandby: (plan, upstream, timeoutMs, signal) =>
      start({ plan, as: { role: "standby", upstream }, timeoutMs, signal }),
    startPrimary: (plan, timeoutMs, signal) =>
      start({ plan, as: { role: "primary" }, timeoutMs, signal }),
    stop: async (timeoutMs, onShutdown, signal) => {
      await stopServer(place, { timeoutMs, onShutdown, signal });
      observer.forget();
    },
    checkpoint: (signal) => checkpoint(place, signal),
    lookAtSite: (site, timeoutMs) => lookAtSite(place, site, timeoutMs),
    follow: (upstream, signal) => follow(place, upstream, signal),
    beforePromote: (signal) => askBeforePromote(place, signal),
    promote: (branch, timeoutMs, signal) => promoteServer(place, { branch, timeoutMs, signal }),
    recordLineage: (lineage) => recordLineage(place, lineage),
    applySettings: async (plan, signal) => {
      await applySettings(place, plan, signal);
      observer.expectChanges();
    },
    setSyncNames: (names, signal) => setSyncNames(place, names, signal),
    proveClosed: (timeoutMs, signal) => proveClosed(place, timeoutMs, signal),
    // oxlint-disable-next-line eslint/max-params -- the port's own shape
    syncSlots: (create, drop, positions, signal) =>
      syncSlots(place, { create, drop, positions }, signal),
    createLogicalSlots: (slots, signal) => createLogicalSlots(place, slots, signal),
    readSlots: (from, names) => readSlots(place, from, names),
    placeSlots: (copies) => placeSlots(place, copies),
    advanceCopies: (moves) => advanceCopies(place, moves),
    catalogHorizons: (from, ownSlot) => catalogHorizons(place, from, ownSlot),
    dropSlot: (name) => dropSlot(place, name),
    // oxlint-disable-next-line eslint/max-params -- the port's own shape
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

async function recordLineage({ dataDir, stateDir }: Place, branches: Lineage): Promise<void> {
  const control = await readControlFile(dataDir);
  if (control === undefined) {
    throw new AppError("NOT_POSSIBLE", "recording the lineage", "there is no data");
  }
  await writeLineage(stateDir, { systemId: control.systemId, branches, pending: undefined });
}
