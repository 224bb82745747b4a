// What does a member say about its WAL: how much there is, who keeps it, how long the disk lasts?
import { valueOf } from "../../model/known.ts";
import { type WalReport, walReport } from "../../model/wal-report.ts";
import type { View } from "./node-view.ts";

/** Undefined while the server has not answered. */
export function walOf({ wal, slots, server, lag }: View): WalReport | undefined {
  if (wal === undefined) return undefined;
  const sql = server === undefined ? undefined : valueOf(server.seen.sql);
  return walReport(wal, {
    isPrimary: sql?.inRecovery === false,
    slots,
    walPerSecond: lag?.walPerSecond,
    slotLimitBytes: sql?.slotLimitBytes,
  });
}
