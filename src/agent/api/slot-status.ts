// What does a member say about its replication slots?
import { valueOf } from "../../model/known.ts";
import { printLsn } from "../../model/lsn.ts";
import { type SlotReport, slotWarnings } from "../../model/slot-report.ts";
import type { StatusNode, StatusSlot } from "../../model/wire/status.ts";
import type { View } from "./node-view.ts";

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
  return {
    slots: view.slots.map(slotPart),
    ...(slotLimitBytes === undefined ? {} : { slotLimitBytes }),
    slotWarnings: slotWarnings(view.slots, room),
  };
}

function slotPart({ slot, use, idleMs, retainedBytes, isSafe }: SlotReport): StatusSlot {
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
