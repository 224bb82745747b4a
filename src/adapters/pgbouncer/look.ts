// What does one PgBouncer say about itself? Read by the names of columns, which differ between versions.
import type { Address } from "../../model/address.ts";
import type { Ms } from "../../model/time.ts";
import type { PoolerProcess, PoolNumbers } from "../../ports/pooler.ts";
import { type Console, numberIn, type Row } from "./console.ts";

export interface ProcessOptions {
  readonly pid: number;
  readonly version: string;
  readonly databases: readonly string[];
  readonly writes: readonly string[];
}

export async function lookAt(
  console: Console,
  { pid, version, databases, writes }: ProcessOptions,
  signal: AbortSignal,
): Promise<PoolerProcess> {
  const rows = await console.show("DATABASES", signal);
  const ours = rows.filter(({ name = "" }) => databases.includes(name));
  const pools = await console.show("POOLS", signal);
  return {
    pid,
    version,
    paused: ours.some((row) => row["paused"] === "1" && writes.includes(row["name"] ?? "")),
    points: Object.fromEntries(ours.map((row) => [row["name"] ?? "", addressOf(row)])),
    pools: pools.filter((row) => row["database"] !== "pgbouncer").map(poolOf),
  };
}

export const addressOf = (row: Row): Address => ({
  host: row["host"] ?? "",
  port: numberIn(row, "port"),
});

const poolOf = (row: Row): PoolNumbers => ({
  database: row["database"] ?? "",
  user: row["user"] ?? "",
  mode: row["pool_mode"] ?? "",
  clientsActive: numberIn(row, "cl_active"),
  clientsWaiting: numberIn(row, "cl_waiting"),
  serversActive: numberIn(row, "sv_active"),
  serversIdle: numberIn(row, "sv_idle") + numberIn(row, "sv_used"),
  longestWaitMs: waitOf(row),
});

const waitOf = (row: Row): Ms =>
  numberIn(row, "maxwait") * 1000 + Math.round(numberIn(row, "maxwait_us") / 1000);
