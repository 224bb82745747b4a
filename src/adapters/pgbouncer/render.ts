// What stands in PgBouncer's files? Settings that stay, and apart from them where each logical database leads.

import type { Address } from "../../model/address.ts";
import { AppError } from "../../model/error.ts";
import type { ReadTarget, RoutePlan } from "../../model/route.ts";
import type { PgbouncerSettings, PooledDatabase } from "../../model/router-settings.ts";
import type { Ms } from "../../model/time.ts";
import { isKnown, objectionTo } from "./known-settings.ts";
import { hbaFile, logFile, pidFile, routesFile, socketDir, usersFile } from "./layout.ts";
import { hasPeers, type PgbouncerVersion } from "./program.ts";

/** Our own user of the console; no client can have the name, since its password is known to nobody. */
export const CONSOLE_USER = "understudy_console";

/**
 * Timers under which a failover is latency and not an error. The retry of logins is the one that matters most: by
 * default one refused login keeps every client away for 15 s.
 */
const BASELINE = {
  server_login_retry: "0.1",
  server_connect_timeout: "3",
  client_login_timeout: "60",
  server_lifetime: "1800",
  server_idle_timeout: "300",
  // A host that has vanished says nothing: the kernel gives up after seconds instead of a quarter of an hour.
  tcp_keepalive: "1",
  tcp_keepidle: "5",
  tcp_keepintvl: "2",
  tcp_keepcnt: "3",
  tcp_user_timeout: "5000",
  // Several read hosts take turns; the most recently used one would be pinned otherwise.
  server_round_robin: "1",
  // Drivers send these at the start of a session; PgBouncer refuses the session when they are not listed.
  ignore_startup_parameters:
    "extra_float_digits,options,statement_timeout,lock_timeout,idle_in_transaction_session_timeout",
  // From 1.21: named prepared statements survive a change of the server connection.
  max_prepared_statements: "200",
  log_connections: "0",
  log_disconnections: "0",
  log_stats: "0",
} as const;

const SHORTEST_QUERY_WAIT_S = 60;
/** Our own consoles count as clients too. */
const RESERVED_CLIENTS = 20;

export interface SettingsInput {
  readonly settings: PgbouncerSettings;
  readonly version: PgbouncerVersion;
  /** How long clients may be paused: a query must wait longer than that. */
  readonly holdLimitMs: Ms;
}

/** The settings of the process with this number, from 1. Throws CONFIG_INVALID. */
export function renderSettings(input: SettingsInput, number: number): string {
  const { settings, version } = input;
  const { dir, processes, listen } = settings;
  const { queryUser, query } = settings.auth;
  const isSeveral = processes > 1;
  const fixed: Readonly<Record<string, string>> = {
    listen_addr: listen.host,
    listen_port: String(listen.port),
    unix_socket_dir: socketDir(dir, number),
    unix_socket_mode: "0700",
    pidfile: pidFile(dir, number),
    logfile: logFile(dir, number),
    admin_users: CONSOLE_USER,
    ...authOf(settings),
    auth_file: usersFile(dir),
    ...(queryUser === undefined ? {} : { auth_user: queryUser }),
    ...(query === undefined ? {} : { auth_query: query.replace(/\s*[\r\n]\s*/g, " ") }),
    ...(isSeveral ? { so_reuseport: "1" } : {}),
    ...(isSeveral && hasPeers(version) ? { peer_id: String(number) } : {}),
  };
  const peers = isSeveral && hasPeers(version) ? renderPeers(settings) : [];
  return [
    "; Written by Understudy: changes are lost. Set them in the section router.pgbouncer of the node's file.",
    "[pgbouncer]",
    ...Object.entries({ ...fixed, ...chosen(input) }).map(([name, value]) => `${name} = ${value}`),
    ...peers,
    `%include ${routesFile(dir)}`,
    "",
  ].join("\n");
}

/** Where everybody is trusted, everybody could command the pooler as well: the console is set apart by rules. */
function authOf({ dir, auth }: PgbouncerSettings): Readonly<Record<string, string>> {
  if (auth.type === "any") {
    const why =
      "type any would let everybody command the pooler; name users in file, with type trust";
    throw new AppError("CONFIG_INVALID", "reading router.pgbouncer.auth", why);
  }
  if (auth.type === "trust") return { auth_type: "hba", auth_hba_file: hbaFile(dir) };
  return { auth_type: auth.type };
}

/** Baseline, the file's own defaults, and its options, each over the one before. */
function chosen({ settings, version, holdLimitMs }: SettingsInput): Record<string, string> {
  const problems = Object.entries(settings.options).flatMap(
    ([name, value]) => objectionTo(name, value, version) ?? [],
  );
  const [first] = problems;
  if (first !== undefined)
    throw new AppError("CONFIG_INVALID", "reading router.pgbouncer.options", first);
  const all: Record<string, string> = {
    ...BASELINE,
    pool_mode: settings.poolMode,
    default_pool_size: String(settings.poolSize),
    max_client_conn: String(settings.maxClientConn + RESERVED_CLIENTS),
    query_wait_timeout: String(queryWaitSeconds(holdLimitMs)),
    ...settings.options,
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => isKnown(name, version)));
}

/** It goes on counting while clients are paused, and what it ends gets an error. */
const queryWaitSeconds = (holdLimitMs: Ms): number =>
  Math.max(SHORTEST_QUERY_WAIT_S, Math.ceil((2 * holdLimitMs) / 1000));

/** A cancel request may reach any of the processes; they pass it on. */
function renderPeers({ dir, processes, listen }: PgbouncerSettings): readonly string[] {
  const line = (number: number): string =>
    `${number} = host=${quoted(socketDir(dir, number))} port=${listen.port}`;
  return ["[peers]", ...Array.from({ length: processes }, (_, index) => line(index + 1))];
}

/** Where one logical database leads. Nobody: it is disabled, since PgBouncer would let its clients wait. */
export interface Way {
  readonly hosts: readonly string[];
  readonly port: number;
}

export const waysOf = (
  settings: PgbouncerSettings,
  plan: RoutePlan,
  before: Readonly<Record<string, Way>>,
): Readonly<Record<string, Way>> =>
  Object.fromEntries(
    Object.entries(settings.databases).map(([name, { route }]) => {
      if (route === "read") return [name, wayTo(readyOf(plan.reads))];
      if (route === "report") return [name, wayTo(readyOf(plan.reports))];
      if (plan.isReadOnly === true) return [name, NOWHERE];
      // Without a primary nothing is better known than where it was.
      return [name, plan.write === undefined ? (before[name] ?? NOWHERE) : wayTo([plan.write])];
    }),
  );

export const NOWHERE: Way = { hosts: [], port: 5432 };

const readyOf = (targets: readonly ReadTarget[]): readonly ReadTarget[] =>
  targets.filter(({ state }) => state === "ready");

/** PgBouncer takes several hosts but one port: the one that most of them have. */
function wayTo(targets: readonly Address[]): Way {
  const port = commonestPort(targets);
  if (port === undefined) return NOWHERE;
  const hosts = targets.filter((one) => one.port === port).map(({ host }) => host);
  return { hosts: hosts.toSorted(), port };
}

function commonestPort(targets: readonly Address[]): number | undefined {
  const counts = new Map<number, number>();
  for (const { port } of targets) counts.set(port, (counts.get(port) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}

/** Members that get no connections because their port differs from the others', one line each. */
export function leftOut(plan: RoutePlan): readonly string[] {
  return (["reads", "reports"] as const).flatMap((route) => {
    const ready = readyOf(plan[route]);
    const port = commonestPort(ready);
    return ready
      .filter((one) => one.port !== port)
      .map(
        ({ name, port: other }) =>
          `${name} gets no ${route}: PgBouncer takes one port for all hosts, ${port}, and it has ${other}`,
      );
  });
}

export interface RoutesInput {
  readonly settings: PgbouncerSettings;
  readonly term: number;
  readonly ways: Readonly<Record<string, Way>>;
}

/** Every database stands in it at all times: one that is missing would lose its clients at the next RELOAD. */
export function renderRoutes({ settings, term, ways }: RoutesInput): string {
  const odd = Object.keys(settings.databases).find((name) => !PLAIN_NAME.test(name));
  if (odd !== undefined) {
    const why = `"${odd}" is no name that PgBouncer can read: letters, digits and _ . - only`;
    throw new AppError("CONFIG_INVALID", "reading router.pgbouncer.databases", why);
  }
  const lines = Object.entries(settings.databases).map(([name, database]) =>
    renderDatabase(name, database, { way: ways[name] ?? NOWHERE, dir: settings.dir }),
  );
  const mark: RoutesMark = { term, ways };
  return [`${MARK}${JSON.stringify(mark)}`, "[databases]", ...lines, ""].join("\n");
}

/** What a file of routes says about itself in its first line, for the next life of the agent. */
export interface RoutesMark {
  readonly term: number;
  readonly ways: Readonly<Record<string, Way>>;
}

const MARK = "; routes ";

/** Undefined for a file that is not ours or not there. */
export function readMark(routes: string | undefined): RoutesMark | undefined {
  const [first = ""] = routes?.split("\n") ?? [];
  if (!first.startsWith(MARK)) return undefined;
  try {
    return JSON.parse(first.slice(MARK.length)) as RoutesMark;
  } catch {
    return undefined;
  }
}

/** What PgBouncer's files take as a name; `pgbouncer` is its console. */
const PLAIN_NAME = /^(?!pgbouncer$)[A-Za-z0-9_.-]+$/;

interface Leading {
  readonly way: Way;
  readonly dir: string;
}

function renderDatabase(name: string, database: PooledDatabase, { way, dir }: Leading): string {
  const hosts = way.hosts.length === 0 ? [`${dir}/nowhere`] : way.hosts;
  const fields = {
    host: hosts.join(","),
    port: way.port,
    dbname: database.dbname,
    pool_mode: database.poolMode,
    pool_size: database.poolSize,
    reserve_pool: database.reservePool,
    min_pool_size: database.minPoolSize,
    max_db_connections: database.maxDbConnections,
  };
  const written = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${quoted(String(value))}`],
  );
  return `${name} = ${written.join(" ")}`;
}

/** A value in a connection string. */
const quoted = (text: string): string =>
  /^[\w./,:-]+$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`;
