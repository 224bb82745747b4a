// What does an existing pgbouncer.ini say in our words, and what of it cannot be taken over?

export interface IniEntry {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/** Comments and blank lines are left out; lines before the first section belong to the section "". */
export function parseIni(text: string): readonly IniEntry[] {
  let section = "";
  return text.split(/\r?\n/).flatMap((written) => {
    const line = written.trim();
    const title = /^\[([^\]]*)\]$/.exec(line)?.[1];
    if (title !== undefined) section = title.trim().toLowerCase();
    const pair = /^("(?:[^"]|"")*"|[^=;#%][^=]*?)\s*=\s*(.*)$/.exec(line);
    if (title !== undefined || pair === null || /^[;#%]/.test(line)) return [];
    return [{ section, name: unquoted(pair[1] ?? ""), value: pair[2] ?? "" }];
  });
}

const unquoted = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;

/** The keys of `host=a port=1 dbname='it''s'`. */
export function parseConnection(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [, key = "", bare, quoted] of text.matchAll(
    /([\w]+)\s*=\s*(?:([^\s']+)|'((?:[^']|'')*)')/g,
  )) {
    found[key] = bare ?? quoted?.replaceAll("''", "'") ?? "";
  }
  return found;
}

export interface Imported {
  /** The section `router` as plain data, ready to be printed as YAML. */
  readonly router: Readonly<Record<string, unknown>>;
  /** What was left out or guessed, one sentence each. */
  readonly notes: readonly string[];
}

/** Settings that Understudy sets itself, with what a reader may wonder about. */
const OURS: Readonly<Record<string, string>> = {
  admin_users: "the console has a user of Understudy's own; see understudy pools",
  stats_users: "see understudy pools and the metrics",
  unix_socket_dir: "each process has a socket folder of its own below dir",
  unix_socket_mode: "only Understudy uses the socket",
  unix_socket_group: "only Understudy uses the socket",
  logfile: "each process writes a log below dir",
  pidfile: "processes are found without one",
  so_reuseport: "set processes instead",
  peer_id: "set processes instead",
  user: "the agent chooses an unprivileged user",
  service_name: "has no use here",
  job_name: "has no use here",
  conffile: "has no use here",
};

const TAKEN = new Set([
  "listen_addr",
  "listen_port",
  "pool_mode",
  "default_pool_size",
  "max_client_conn",
  "auth_type",
  "auth_file",
  "auth_user",
  "auth_query",
]);

/** Timers that decide how long a failover lasts: the measured values are better than what files usually say. */
const BETTER_LEFT = ["server_login_retry", "server_connect_timeout", "query_wait_timeout"];

export function importPgbouncer(text: string): Imported {
  const entries = parseIni(text);
  const notes: string[] = [];
  const settings = new Map(
    entries.filter(({ section }) => section === "pgbouncer").map((e) => [e.name, e.value]),
  );
  for (const { section, name } of entries) {
    if (section === "pgbouncer" || section === "databases") continue;
    notes.push(`[${section}] ${name} is not taken over: there is no such section here`);
  }
  const databases = entries
    .filter(({ section }) => section === "databases")
    .flatMap(({ name, value }) => databaseOf(name, value, notes));
  if (databases.length === 0) notes.push("no database is taken over: name at least one yourself");
  const options = optionsOf(settings, notes);
  const pgbouncer = dropUndefined({
    listen: listenOf(settings, notes),
    pool_mode: settings.get("pool_mode"),
    pool_size: numberOf(settings.get("default_pool_size")),
    max_client_conn: numberOf(settings.get("max_client_conn")),
    auth: authOf(settings, notes),
    options: Object.keys(options).length === 0 ? undefined : options,
    databases: Object.fromEntries(databases),
  });
  return { router: { pgbouncer }, notes };
}

function listenOf(settings: ReadonlyMap<string, string>, notes: string[]): string {
  const [first = "", ...more] = (settings.get("listen_addr") ?? "").split(/\s*,\s*/);
  if (more.length > 0)
    notes.push(`listen_addr: only ${first} is taken over; * would be all addresses`);
  if (first === "") notes.push("listen_addr is not set: 127.0.0.1 is taken");
  const host = first === "" ? "127.0.0.1" : first;
  return `${host.includes(":") ? `[${host}]` : host}:${settings.get("listen_port") ?? "6432"}`;
}

function authOf(settings: ReadonlyMap<string, string>, notes: string[]) {
  const user = settings.get("auth_user");
  if (user !== undefined) {
    notes.push(`auth_user ${user}: its own password must stand in the file that auth.file names`);
  }
  return dropUndefined({
    type: settings.get("auth_type"),
    file: settings.get("auth_file"),
    query_user: user,
    query: user === undefined ? undefined : settings.get("auth_query"),
  });
}

function optionsOf(settings: ReadonlyMap<string, string>, notes: string[]): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [name, value] of settings) {
    const why = OURS[name];
    if (TAKEN.has(name)) continue;
    if (why !== undefined) notes.push(`${name} is not taken over: ${why}`);
    else if (name === "min_pool_size") notes.push(`${name} is not taken over: ${WHY_NO_MINIMUM}`);
    else if (BETTER_LEFT.includes(name)) {
      notes.push(`${name} = ${value} is not taken over: the default here keeps failovers short`);
    } else options[name] = value;
  }
  return options;
}

const WHY_NO_MINIMUM = "a paused database must not open connections by itself";
/** Keys of a database, theirs and ours. */
const KEYS = [
  ["pool_mode", "pool_mode"],
  ["pool_size", "pool_size"],
  ["reserve_pool", "reserve_pool"],
  ["reserve_pool_size", "reserve_pool"],
  ["max_db_connections", "max_db_connections"],
] as const;

function databaseOf(name: string, value: string, notes: string[]) {
  if (name === "*") {
    notes.push("the database * is not taken over: name each database, so that it can be paused");
    return [];
  }
  const given = parseConnection(value);
  const route = guessRoute(name);
  const entry: Record<string, unknown> = { route };
  if ((given["dbname"] ?? name) !== name) entry["dbname"] = given["dbname"];
  for (const [theirs, ours] of KEYS) {
    const text = given[theirs];
    if (text !== undefined) entry[ours] = numberOf(text) ?? text;
  }
  const at = given["host"] === undefined ? "" : ` instead of ${given["host"]}`;
  notes.push(`${name}: route ${route}${at}, guessed from its name; change it if that is wrong`);
  const known = ["host", "port", "dbname", "min_pool_size", ...KEYS.map(([theirs]) => theirs)];
  for (const key of Object.keys(given)) {
    if (!known.some((one) => one === key)) notes.push(`${name}: ${key} is not taken over`);
  }
  const minimum = given["min_pool_size"];
  if (minimum !== undefined && route === "write") {
    notes.push(`${name}: min_pool_size is not taken over: ${WHY_NO_MINIMUM}`);
  } else if (minimum !== undefined) entry["min_pool_size"] = numberOf(minimum);
  return [[name, entry] as const];
}

function guessRoute(name: string): "write" | "read" | "report" {
  if (/(?:^|[_-])(?:report(?:s|ing)?|analytics|olap|bi)$/i.test(name)) return "report";
  // tidy-allow: names that people have given to databases for reading
  return /(?:^|[_-])(?:ro|read(?:only)?|replica|slave|standby)$/i.test(name) ? "read" : "write";
}

const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : undefined;

const dropUndefined = (record: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
