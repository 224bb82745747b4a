// Which callbacks does a change between two looks call for? Judged by what the server is, so that none is missed.
import { roleOf } from "../controllers/ha/plans/self-portrait.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { valueOf } from "../model/known.ts";
import type { Instant } from "../model/time.ts";
import { printRole } from "../model/wire/role.ts";
import type { CallbackEvent } from "../ports/callbacks.ts";

/** What was told last. */
export interface Told {
  /** When the server that runs was started; undefined while none runs. */
  readonly startedAt: Instant | undefined;
  readonly role: string | undefined;
  /** A person asked for a restart, and the server is down for it. */
  readonly isRestarting: boolean;
  readonly reloadedAt: Instant | undefined;
}

export const NOTHING_TOLD: Told = {
  startedAt: undefined,
  role: undefined,
  isRestarting: false,
  reloadedAt: undefined,
};

export interface Step {
  readonly told: Told;
  readonly events: readonly CallbackEvent[];
}

/**
 * The events between what was told and this look, in their order. While a long step runs nothing is said: half a
 * promotion is no role. While a cluster is being made nothing is either, as Patroni's scripts expect.
 */
export function eventsUpTo(told: Told, w: HaWorld): Step {
  if (w.job !== undefined || w.bootstrapping) return { told, events: [] };
  const { process } = w.server;
  if (process.kind !== "running") return whenDown(told, w);
  if (valueOf(w.server.sql) === undefined) return { told, events: [] };
  const role = printRole(roleOf(w));
  if (told.startedAt !== process.startedAt)
    return whenStarted(told, { at: process.startedAt, role });
  const reload = reloads(told, w, role);
  if (told.role === role) return { told: { ...told, ...reload.told }, events: reload.events };
  const change: CallbackEvent = { action: "on_role_change", role };
  return { told: { ...told, ...reload.told, role }, events: [change, ...reload.events] };
}

/** During a restart that was asked for, only its end is told. */
function whenDown(told: Told, w: HaWorld): Step {
  const isRestarting = told.isRestarting || w.requests.restart !== undefined;
  if (told.startedAt === undefined || told.role === undefined) {
    const role = printRole("demoted");
    if (!hasFailedAsPrimary(told, w)) return { told: { ...told, isRestarting }, events: [] };
    return { told: { ...told, isRestarting, role }, events: [{ action: "on_role_change", role }] };
  }
  const stop: CallbackEvent = { action: "on_stop", role: told.role };
  return {
    told: { ...told, startedAt: undefined, isRestarting },
    events: isRestarting ? [] : [stop],
  };
}

/** It does not come up again and leads no more: who moves an address must not wait for its next start. */
const hasFailedAsPrimary = (told: Told, w: HaWorld): boolean =>
  told.role === printRole("primary") && w.memory.startFailures > 0 && w.lease.held === undefined;

/** A server that comes up in another role than before is told as that: who moves an address listens for it. */
function whenStarted(told: Told, now: { readonly at: Instant; readonly role: string }): Step {
  const { role } = now;
  const isOther = told.role !== undefined && told.role !== role;
  const start = told.isRestarting ? "on_restart" : "on_start";
  return {
    told: { ...told, startedAt: now.at, role, isRestarting: false },
    events: [{ action: isOther ? "on_role_change" : start, role }],
  };
}

function reloads(told: Told, w: HaWorld, role: string) {
  const applied = w.outcomes["apply-settings"];
  if (applied?.ok !== true || applied.at === told.reloadedAt) return { told: {}, events: [] };
  const event: CallbackEvent = { action: "on_reload", role };
  return { told: { reloadedAt: applied.at }, events: [event] };
}
