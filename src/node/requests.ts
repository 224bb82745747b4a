// What was asked of this one node, and is it done?
import { roleOf } from "../controllers/ha/plans/self-portrait.ts";
import type { HaWorld, Requests } from "../controllers/ha/world.ts";
import { valueOf } from "../model/known.ts";
import { fitsFilter } from "../model/restart.ts";
import { printRole } from "../model/wire/role.ts";

export const NO_REQUESTS: Requests = {
  restart: undefined,
  scheduledRestart: undefined,
  reinitialise: undefined,
  dropSlot: undefined,
  stopping: undefined,
};

/**
 * A request is done when the world shows it: a server started after it, a clone that ended after it, a slot that is no
 * longer there, settings that were applied after it.
 */
export function unfulfilled(requests: Requests, w: HaWorld): Requests {
  const { restart, reinitialise, dropSlot, reload } = requests;
  if ([restart, reinitialise, dropSlot, reload].every((asked) => asked === undefined))
    return requests;
  const { process } = w.server;
  const restarted =
    restart !== undefined && process.kind === "running" && process.startedAt > restart.at;
  const cloned = w.outcomes["clone"];
  const rebuilt = reinitialise !== undefined && cloned?.ok === true && cloned.at > reinitialise.at;
  const applied = w.outcomes["apply-settings"];
  const reloaded = reload !== undefined && applied !== undefined && applied.at > reload.at;
  const sql = w.server.sql.kind === "known" ? w.server.sql.value : undefined;
  const isThere = sql?.slots.some(({ name }) => name === dropSlot?.name) ?? true;
  return {
    ...requests,
    restart: restarted ? undefined : restart,
    reinitialise: rebuilt ? undefined : reinitialise,
    dropSlot: isThere ? dropSlot : undefined,
    reload: reloaded ? undefined : reload,
  };
}

/** How late a scheduled restart may begin, in rhythms of the loop: later it would surprise. */
const LATEST = 1.5;

interface Due {
  readonly requests: Requests;
  /** Why a scheduled restart was dropped, for the log. */
  readonly dropped?: string;
}

/**
 * A scheduled restart whose time has come becomes one that is asked for now. It is dropped when the server has been
 * started since it was asked for, when its conditions do not fit, or when its time has passed unused.
 */
export function due(requests: Requests, w: HaWorld): Due {
  const { scheduledRestart: planned } = requests;
  if (planned === undefined) return { requests };
  const drop = (why: string): Due => ({
    requests: { ...requests, scheduledRestart: undefined },
    dropped: why,
  });
  const sql = valueOf(w.server.sql);
  if (sql !== undefined && sql.startedAtText !== planned.serverStartedAt) {
    return drop("the server has been started meanwhile");
  }
  if (w.wallMs < planned.atMs) return { requests };
  if (w.wallMs - planned.atMs > LATEST * w.config.loopWaitMs) return drop("its time has passed");
  if (w.config.paused || w.job !== undefined || sql === undefined) return { requests };
  const facts = {
    role: printRole(roleOf(w)),
    version: sql.version,
    isPending: sql.pendingRestart.length > 0,
  };
  if (!fitsFilter(planned, facts)) return drop("its conditions do not fit");
  return { requests: { ...requests, scheduledRestart: undefined, restart: { at: w.now } } };
}
