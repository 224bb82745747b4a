// How does a router tell of its pools over REST? One form for the command line and for programs.
import type { Ms } from "../time.ts";
import { isObject } from "./json.ts";

/** One pool of one process. */
export interface PoolRow {
  readonly database: string;
  readonly user: string;
  readonly pid: number;
  readonly leadsTo: string;
  readonly mode: string;
  readonly paused: boolean;
  readonly clientsActive: number;
  readonly clientsWaiting: number;
  readonly serversActive: number;
  readonly serversIdle: number;
  readonly size: number;
  readonly longestWaitMs: Ms;
}

export interface PoolProcessRow {
  readonly pid: number;
  readonly version: string;
  readonly paused: boolean;
  readonly clients: number;
  readonly maxClients: number;
  readonly memoryBytes: number | null;
}

export interface PoolTrafficRow {
  readonly database: string;
  readonly pid: number;
  readonly transactionsPerSecond: number;
  readonly queriesPerSecond: number;
  readonly queryMs: Ms;
  readonly waitMs: Ms;
}

export interface PoolsJson {
  readonly apiVersion: "understudy/v1";
  readonly kind: "Pools";
  readonly asOf: string;
  readonly router: string;
  /** What a person should know, one sentence each. */
  readonly warnings: readonly string[];
  readonly processes: readonly PoolProcessRow[];
  readonly traffic: readonly PoolTrafficRow[];
  readonly items: readonly PoolRow[];
}

/** Undefined when the answer is not of this kind. */
export function parsePools(value: unknown): PoolsJson | undefined {
  if (!isObject(value) || value["kind"] !== "Pools" || !Array.isArray(value["items"]))
    return undefined;
  return value as unknown as PoolsJson;
}
