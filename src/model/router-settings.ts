// What is a router told in its file? (the types; the parser is in settings-router.ts)
import type { Address } from "./address.ts";
import type { Route } from "./route.ts";
import type { Ms } from "./time.ts";

export type PoolMode = "session" | "transaction" | "statement";

/** One logical database of the pooler; what is not given follows the pooler's own defaults. */
export interface PooledDatabase {
  readonly route: Route;
  /** The database on the server. */
  readonly dbname: string;
  readonly poolMode: PoolMode | undefined;
  readonly poolSize: number | undefined;
  readonly reservePool: number | undefined;
  readonly minPoolSize: number | undefined;
  readonly maxDbConnections: number | undefined;
}

/** How the pooler knows passwords: a file, or a query of `queryUser` on the server. */
export interface PoolerAuth {
  readonly type: string;
  readonly file: string | undefined;
  readonly queryUser: string | undefined;
  readonly query: string | undefined;
}

export interface PgbouncerSettings {
  readonly listen: Address;
  readonly processes: number;
  /** A path, or a name to be found in PATH. */
  readonly bin: string;
  /** Files, sockets, pids and logs. */
  readonly dir: string;
  readonly poolMode: PoolMode;
  readonly poolSize: number;
  readonly maxClientConn: number;
  readonly auth: PoolerAuth;
  /** Other settings of PgBouncer, as written. */
  readonly options: Readonly<Record<string, string>>;
  readonly databases: Readonly<Record<string, PooledDatabase>>;
}

export interface HaproxySettings {
  readonly bin: string;
  readonly dir: string;
  readonly write: Address | undefined;
  readonly read: Address | undefined;
  readonly report: Address | undefined;
  /** Where the statistics page is; undefined: nowhere. */
  readonly stats: Address | undefined;
  readonly balance: "roundrobin" | "leastconn";
  readonly maxConn: number;
}

export interface RouterSettings {
  /** Once the store has been unread for `storeLimitMs`. */
  readonly onStoreLoss: "keep" | "close";
  readonly storeLimitMs: Ms;
  /** How long a planned switchover waits for open transactions, and what becomes of those that do not end. */
  readonly drainBudgetMs: Ms;
  readonly drainPolicy: "abort" | "cut";
  /** How long clients may be paused before they get honest errors. */
  readonly holdLimitMs: Ms;
  /** A standby further behind gets no new reads. */
  readonly maxLagBytes: number;
  /** The same for new reports on a standby set apart for them: its replay waits for the reports that run. */
  readonly maxReportLagBytes: number;
  /** Whether reads go to the primary while no standby is fresh enough. */
  readonly readsFromPrimary: boolean;
  readonly pgbouncer: PgbouncerSettings | undefined;
  readonly haproxy: HaproxySettings | undefined;
}
