// What does a member say about its replication slots?
import { valueOf } from "../../model/known.ts";
import { printLsn } from "../../model/lsn.ts";
import { type SlotReport, slotWarnings } from "../../model/slot-report.ts";
import type { Ms } from "../../model/time.ts";
import type { StatusNode, StatusSlot } from "../../model/wire/status.ts";
import type { View } from "./node-view.ts";
import { walOf } from "./wal-status.ts";

export function slotsPart(view: View): Pick<StatusNode, "slots" | "slotWarnings"> & {
  readonly slotLimitBytes?: number;
} {
  const sql = view.server === undefined ? undefined : valueOf(view.server.seen.sql);
  if (sql === undefined) return { slots: [], slotWarnings: [] };
  const { slotLimitBytes } = sql;
  const room = {
    isPrimary: !sql.inRecovery,
    lost: view.lostSlots,
    limitBytes: slotLimitBytes,
    diskFreeBytes: view.server?.seen.diskFreeBytes,
    diskBytes: view.server?.seen.diskBytes,
  };
  const forecasts = new Map(walOf(view)?.slots.map((slot) => [slot.name, slot]));
  const inactive = new Map(view.wal?.slots.map(({ name, inactiveMs }) => [name, inactiveMs]));
  return {
    slots: view.slots.map((report) => ({
      ...slotPart(report, inactive.get(report.slot.name)),
      ...forecasts.get(report.slot.name),
    })),
    ...(slotLimitBytes === undefined ? {} : { slotLimitBytes }),
    slotWarnings: slotWarnings(view.slots, room),
  };
}

/** The server's own word on how long nobody has read outlasts a restart of the agent. */
function slotPart(
  { slot, use, idleMs: seenMs, retainedBytes, isSafe }: SlotReport,
  inactiveMs: Ms | undefined,
): StatusSlot {
  const idleMs = seenMs === undefined ? undefined : Math.max(seenMs, inactiveMs ?? 0);
  const { name, kind, active, restartLsn, walStatus, logical } = slot;
  const confirmed = logical?.confirmedLsn;
  return {
    name,
    kind,
    use,
    active,
    ...(idleMs === undefined ? {} : { idleMs: Math.round(idleMs) }),
    ...(retainedBytes === undefined ? {} : { retainedBytes }),
    ...(restartLsn === undefined ? {} : { restartLsn: printLsn(restartLsn) }),
    ...(confirmed === undefined ? {} : { confirmedLsn: printLsn(confirmed) }),
    ...(isSafe === undefined ? {} : { isSafe }),
    ...(walStatus === "" ? {} : { walStatus }),
    ...(logical === undefined ? {} : { database: logical.database, plugin: logical.plugin }),
  };
}
