// Where do clients come in on this node, and what happens to them when it is unclear who leads? (section `router`)

import type { Address } from "./address.ts";
import type {
  HaproxySettings,
  PgbouncerSettings,
  PooledDatabase,
  PoolerAuth,
  RouterSettings,
} from "./router-settings.ts";
import { parseAddress } from "./settings-address.ts";
import type { Section } from "./settings-reader.ts";
import { type Ms, seconds } from "./time.ts";
import { parseDuration } from "./wire/duration.ts";
import { lagLimit } from "./wire/rest-health.ts";

const LONGEST_DRAIN_MS = 10_000;
const MEGABYTE = 1_048_576;
const POOL_MODES = ["session", "transaction", "statement"] as const;
const ROUTES = ["write", "read", "report"] as const;

/** Undefined when the file has no `router` section. `stateDir` is where the programs' own files lie by default. */
export function readRouter(root: Section, stateDir: string): RouterSettings | undefined {
  if (!root.has("router")) return undefined;
  const section = root.section("router");
  const settings: RouterSettings = {
    onStoreLoss: section.choice("on_store_loss", ["keep", "close"]) ?? "keep",
    storeLimitMs: durationIn(section, "store_limit", seconds(30)),
    drainBudgetMs: readDrainBudget(section),
    drainPolicy: section.choice("drain_policy", ["abort", "cut"]) ?? "abort",
    holdLimitMs: durationIn(section, "hold_limit", seconds(20)),
    maxLagBytes: bytesIn(section, "max_lag", 16 * MEGABYTE),
    maxReportLagBytes: bytesIn(section, "max_report_lag", 1024 * MEGABYTE),
    readsFromPrimary: section.flag("reads_from_primary") ?? false,
    pgbouncer: readPgbouncer(section, stateDir),
    haproxy: readHaproxy(section, stateDir),
  };
  if (!section.has("pgbouncer") && !section.has("haproxy"))
    root.problem("router", "runs nothing: give it a pgbouncer section, a haproxy section or both");
  section.close();
  return settings;
}

function readDrainBudget(section: Section): Ms {
  const ms = durationIn(section, "drain_budget", seconds(5));
  if (ms > LONGEST_DRAIN_MS)
    section.problem("drain_budget", "must be at most 10: clients wait for it");
  return ms;
}

function readPgbouncer(router: Section, stateDir: string): PgbouncerSettings | undefined {
  if (!router.has("pgbouncer")) return undefined;
  const section = router.section("pgbouncer");
  const settings: PgbouncerSettings = {
    listen: addressIn(section, "listen") ?? { host: "127.0.0.1", port: 6432 },
    processes: section.number("processes", { min: 1, max: 64 }) ?? 1,
    bin: section.text("bin") ?? "pgbouncer",
    dir: section.text("dir") ?? `${stateDir}/pgbouncer`,
    poolMode: section.choice("pool_mode", POOL_MODES) ?? "transaction",
    poolSize: section.number("pool_size", { min: 1 }) ?? 20,
    maxClientConn: section.number("max_client_conn", { min: 1 }) ?? 2000,
    auth: readAuth(section),
    options: section.parameters("options"),
    databases: readDatabases(section),
  };
  section.close();
  return settings;
}

function readAuth(pgbouncer: Section): PoolerAuth {
  const section = pgbouncer.section("auth");
  const auth: PoolerAuth = {
    type: section.text("type") ?? "scram-sha-256",
    file: section.text("file"),
    queryUser: section.text("query_user"),
    query: section.text("query"),
  };
  if (auth.query !== undefined && auth.queryUser === undefined)
    section.problem("query", "is given without query_user: who asks it?");
  if (auth.type === "any")
    section.problem(
      "type",
      "would let everybody command the pooler: take trust, and name users in file",
    );
  if (auth.file === undefined)
    pgbouncer.problem(
      "auth",
      "names no passwords: give file, where users stand, at least query_user",
    );
  section.close();
  return auth;
}

function readDatabases(pgbouncer: Section): Readonly<Record<string, PooledDatabase>> {
  const section = pgbouncer.section("databases");
  const found: Record<string, PooledDatabase> = {};
  for (const name of section.names()) found[name] = readDatabase(section, name);
  if (section.names().length === 0)
    pgbouncer.problem("databases", "is missing: name at least one, e.g. app: {route: write}");
  section.close();
  return found;
}

function readDatabase(databases: Section, name: string): PooledDatabase {
  const section = databases.section(name);
  const route = section.choice("route", ROUTES);
  if (!section.has("route")) databases.problem(name, `needs route: ${ROUTES.join(", ")}`);
  const database: PooledDatabase = {
    route: route ?? "write",
    dbname: section.text("dbname") ?? name,
    poolMode: section.choice("pool_mode", POOL_MODES),
    poolSize: section.number("pool_size", { min: 1 }),
    reservePool: section.number("reserve_pool", { min: 0 }),
    minPoolSize: section.number("min_pool_size", { min: 0 }),
    maxDbConnections: section.number("max_db_connections", { min: 0 }),
  };
  if (database.route === "write" && (database.minPoolSize ?? 0) > 0)
    section.problem(
      "min_pool_size",
      "must be left out: a paused database must not open connections by itself",
    );
  section.close();
  return database;
}

function readHaproxy(router: Section, stateDir: string): HaproxySettings | undefined {
  if (!router.has("haproxy")) return undefined;
  const section = router.section("haproxy");
  const settings: HaproxySettings = {
    bin: section.text("bin") ?? "haproxy",
    dir: section.text("dir") ?? `${stateDir}/haproxy`,
    write: addressIn(section, "write"),
    read: addressIn(section, "read"),
    report: addressIn(section, "report"),
    stats: addressIn(section, "stats"),
    balance: section.choice("balance", ["roundrobin", "leastconn"]) ?? "roundrobin",
    maxConn: section.number("max_conn", { min: 1 }) ?? 2000,
  };
  if ([settings.write, settings.read, settings.report].every((address) => address === undefined))
    router.problem("haproxy", "listens nowhere: give it write, read or report, each host:port");
  section.close();
  return settings;
}

/** Any address may be listened on, a wildcard as well; the port must be given. */
function addressIn(section: Section, key: string): Address | undefined {
  const text = section.text(key);
  if (text === undefined) return undefined;
  const address = /:\d+$/.test(text)
    ? parseAddress(text.replace(/^\*:/, "0.0.0.0:"), 0)
    : undefined;
  if (address === undefined) section.problem(key, `must be host:port, not "${text}"`);
  return address;
}

function durationIn(section: Section, key: string, otherwise: Ms): Ms {
  const text = section.text(key);
  if (text === undefined) return otherwise;
  const ms = parseDuration(text);
  if (ms === undefined) section.problem(key, `must be seconds or a time like 500ms, not "${text}"`);
  return ms ?? otherwise;
}

function bytesIn(section: Section, key: string, otherwise: number): number {
  const text = section.text(key);
  if (text === undefined) return otherwise;
  const bytes = lagLimit(text);
  if (bytes === undefined)
    section.problem(key, `must be bytes or an amount like 16MB, not "${text}"`);
  return bytes ?? otherwise;
}
