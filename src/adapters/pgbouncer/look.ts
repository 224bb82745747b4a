// What does one PgBouncer say about itself? Read by the names of columns, which differ between versions.
import { readFileSync } from "node:fs";
import type { Address } from "../../model/address.ts";
import type { Ms } from "../../model/time.ts";
import type { PoolerProcess, PoolNumbers, PoolTraffic } from "../../ports/pooler.ts";
import { type Console, numberIn, type Row } from "./console.ts";

export interface ProcessOptions {
  readonly pid: number;
  readonly version: string;
  readonly databases: readonly string[];
  readonly writes: readonly string[];
  readonly maxClients: number;
}

export async function lookAt(
  console: Console,
  { databases, writes, ...process }: ProcessOptions,
  signal: AbortSignal,
): Promise<PoolerProcess> {
  const isOurs = (column: string) => (row: Row) => databases.includes(row[column] ?? "");
  const rows = (await console.show("DATABASES", signal)).filter(isOurs("name"));
  const pools = (await console.show("POOLS", signal)).filter(isOurs("database"));
  const stats = (await console.show("STATS", signal)).filter(isOurs("database"));
  const sizes = new Map(rows.map((row) => [row["name"], sizeOf(row)]));
  return {
    ...process,
    paused: rows.some((row) => row["paused"] === "1" && writes.includes(row["name"] ?? "")),
    points: Object.fromEntries(rows.map((row) => [row["name"] ?? "", addressOf(row)])),
    pools: pools.map((row) => poolOf(row, sizes.get(row["database"]) ?? 0)),
    traffic: stats.map(trafficOf),
    memoryBytes: memoryOf(process.pid),
  };
}

const addressOf = (row: Row): Address => ({
  host: row["host"] ?? "",
  port: numberIn(row, "port"),
});

/** The reserve has another name from 1.24 on. */
const sizeOf = (row: Row): number =>
  numberIn(row, "pool_size") + numberIn(row, "reserve_pool") + numberIn(row, "reserve_pool_size");

const poolOf = (row: Row, size: number): PoolNumbers => ({
  database: row["database"] ?? "",
  user: row["user"] ?? "",
  mode: row["pool_mode"] ?? "",
  clientsActive: numberIn(row, "cl_active"),
  clientsWaiting: numberIn(row, "cl_waiting"),
  serversActive: numberIn(row, "sv_active"),
  serversIdle: numberIn(row, "sv_idle") + numberIn(row, "sv_used"),
  size,
  longestWaitMs: numberIn(row, "maxwait") * 1000 + milliseconds(row, "maxwait_us"),
});

const trafficOf = (row: Row): PoolTraffic => ({
  database: row["database"] ?? "",
  transactionsPerSecond: numberIn(row, "avg_xact_count"),
  queriesPerSecond: numberIn(row, "avg_query_count"),
  queryMs: milliseconds(row, "avg_query_time"),
  waitMs: milliseconds(row, "avg_wait_time"),
});

/** From microseconds, with one digit behind the point. */
const milliseconds = (row: Row, column: string): Ms => Math.round(numberIn(row, column) / 100) / 10;

function memoryOf(pid: number): number | undefined {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch {
    return undefined;
  }
}
