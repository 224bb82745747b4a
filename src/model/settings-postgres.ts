// Where is this node's server, who may log in to it, and what is it told?

import type { Address } from "./address.ts";
import { neededInstead, ROOM_FOR_MEMBERS } from "./parameter-minimums.ts";
import type { BaseConfig, CallbackSettings, DatabaseLogin, PostgresSettings } from "./settings.ts";
import { isWildcard, parseAddress } from "./settings-address.ts";
import { readDatabaseLogin } from "./settings-login.ts";
import { readCloneMethods } from "./settings-methods.ts";
import { readOptions } from "./settings-options.ts";
import type { Section } from "./settings-reader.ts";
import { readRecoveryConf } from "./settings-recovery.ts";

const POSTGRES_PORT = 5432;
/** The kernel allows 107 bytes for the path of a socket. */
const LONGEST_SOCKET_PATH = 107;
const CALLBACKS = ["on_start", "on_stop", "on_restart", "on_reload", "on_role_change"] as const;
/** `repositories`: the names of those that backups go to. Reads `postgresql` and our own `understudy` section. */
export function readPostgres(root: Section, repositories: readonly string[]): PostgresSettings {
  if (!root.has("postgresql")) {
    root.problem("postgresql", "is missing: at least connect_address, data_dir and authentication");
  }
  const section = root.section("postgresql");
  const own = root.section("understudy");
  const { listen, port, connectAddress } = readAddresses(section, root.has("postgresql"));
  const dataDir = readDataDir(section, root.has("postgresql"));
  const stateDir = own.text("state_dir") ?? `${dataDir}.understudy`;
  // Below what is written under `parameters`, as with Patroni.
  const parameters = { ...readRecoveryConf(section), ...section.parameters("parameters") };
  for (const [name, value] of Object.entries(parameters)) {
    const needed = neededInstead(name, value, ROOM_FOR_MEMBERS);
    if (needed !== undefined)
      section.problem("parameters", `set ${name} too low: at least ${needed} is needed`);
  }
  const named = parameters["unix_socket_directories"]?.split(",")[0]?.trim();
  const socketDir = own.text("socket_dir") ?? (named || stateDir);
  if (`${socketDir}/.s.PGSQL.${port}`.length > LONGEST_SOCKET_PATH) {
    own.problem("socket_dir", `must be given: ${socketDir} is too long for a socket's path`);
  }
  const proxyAddress = readProxy(section, port);
  const baseConfig = readBaseConfig(section);
  const settings: PostgresSettings = {
    ...(proxyAddress === undefined ? {} : { proxyAddress }),
    ...(baseConfig === undefined ? {} : { baseConfig }),
    binNames: readBinNames(section.section("bin_name")),
    listen,
    port,
    connectAddress,
    dataDir,
    stateDir,
    binDir: section.path("bin_dir") ?? "",
    socketDir,
    database: section.text("database") ?? "postgres",
    ...readRoles(section),
    parameters,
    pgHba: section.texts("pg_hba"),
    pgIdent: section.texts("pg_ident"),
    basebackupOptions: readOptions(section, "basebackup"),
    cloneMethods: readCloneMethods(section, repositories),
    callbacks: readCallbacks(section.section("callbacks")),
    prePromote: section.text("pre_promote"),
    beforeStop: section.text("before_stop"),
    osUser: own.text("os_user") ?? "postgres",
  };
  acceptTheRest(section);
  section.close();
  own.close();
  return settings;
}

function readProxy(section: Section, port: number): Address | undefined {
  const text = section.text("proxy_address");
  const address = text === undefined ? undefined : parseAddress(text, port);
  if (text !== undefined && address === undefined)
    section.problem("proxy_address", `must be host:port, not "${text}"`);
  return address;
}

/** Where configuration lies outside the data, Patroni has set the administrator's own file aside under this name. */
const SET_ASIDE = "postgresql.base.conf";

function readBaseConfig(section: Section): BaseConfig | undefined {
  const folder = section.path("config_dir");
  const custom = section.path("custom_conf");
  if (custom !== undefined && custom !== "") return { path: custom, isNeeded: true };
  return folder === undefined || folder === ""
    ? undefined
    : { path: `${folder.replace(/\/+$/, "")}/${SET_ASIDE}`, isNeeded: false };
}

function readBinNames(section: Section): Readonly<Record<string, string>> {
  const names: Record<string, string> = {};
  for (const program of section.names()) {
    const name = section.text(program) ?? "";
    if (/^[^/\s]+$/.test(name)) names[program] = name;
    else section.problem(program, "must be the name of a program in bin_dir");
  }
  section.close();
  return names;
}

function readDataDir(section: Section, present: boolean): string {
  if (!present) return "";
  section.required("data_dir", "the directory of the server's data");
  const dataDir = (section.path("data_dir") ?? "").replace(/\/+$/, "");
  if (dataDir === "" && section.has("data_dir")) section.problem("data_dir", "must not be /");
  return dataDir;
}

interface Addresses {
  readonly listen: readonly string[];
  readonly port: number;
  readonly connectAddress: Address;
}

function readAddresses(section: Section, present: boolean): Addresses {
  const written = section.text("listen");
  const listen = parseListen(written ?? "");
  if (written !== undefined && listen === undefined) {
    section.problem("listen", `must be addresses with one port, e.g. 127.0.0.1,10.0.0.1:5432`);
  }
  const port = listen?.port ?? POSTGRES_PORT;
  const text = section.text("connect_address");
  const given = text === undefined ? undefined : parseAddress(text, port);
  if (text !== undefined && given === undefined) {
    section.problem("connect_address", `must be host:port, not "${text}"`);
  }
  if (given !== undefined && isWildcard(given.host)) {
    section.problem("connect_address", `must be an address that others can reach, not "${text}"`);
  }
  const reachable = listen?.hosts.find((host) => !isWildcard(host));
  const connectAddress = given ?? { host: reachable ?? "", port };
  if (present && text === undefined && reachable === undefined) {
    section.problem("connect_address", "is missing: how the other members reach this server");
  }
  const defaults = { hosts: [connectAddress.host], port: connectAddress.port };
  const { hosts, port: listenPort } = listen ?? defaults;
  return { listen: hosts, port: listenPort, connectAddress };
}

/** `a,b:5432`: the port stands behind the last address and holds for all of them. */
function parseListen(
  text: string,
): { readonly hosts: readonly string[]; readonly port: number } | undefined {
  if (text.trim() === "") return undefined;
  const parts = text.split(",").map((part) => parseAddress(part, POSTGRES_PORT));
  const last = parts.at(-1);
  const hosts = parts.flatMap((part) => (part === undefined ? [] : [part.host]));
  return last === undefined || hosts.length < parts.length ? undefined : { hosts, port: last.port };
}

interface Roles {
  readonly superuser: DatabaseLogin;
  readonly replication: DatabaseLogin;
  readonly rewind: DatabaseLogin | undefined;
}

function readRoles(section: Section): Roles {
  const logins = section.section("authentication");
  const krbsrvname = section.text("krbsrvname");
  const login = (role: string, usual: string) =>
    readDatabaseLogin(logins, role, { usual, krbsrvname });
  const superuser = login("superuser", "postgres");
  const replication = login("replication", "replicator");
  const rewind = logins.has("rewind") ? login("rewind", "rewind_user") : undefined;
  if (replication.password === undefined) {
    logins.warn("replication", "has no password: members can clone only where pg_hba trusts them");
  }
  logins.close();
  return { superuser, replication, rewind };
}

function readCallbacks(section: Section): CallbackSettings {
  const callbacks: Record<string, string> = {};
  for (const action of CALLBACKS) {
    const command = section.text(action)?.trim();
    if (command === "") section.problem(action, "must be a command");
    else if (command !== undefined) callbacks[action] = command;
  }
  section.close();
  return callbacks;
}

/** Keys of Patroni's form that the cluster decides, or that Understudy has no use for. */
function acceptTheRest(section: Section): void {
  // Both are on unless the cluster says otherwise, so only a no is without effect.
  for (const key of ["use_pg_rewind", "use_slots"])
    if (section.flag(key) === false) section.notUsed(key);
  section.notUsed("pgpass", "use_unix_socket", "use_unix_socket_repl");
  section.notUsed("remove_data_directory_on_rewind_failure", "pg_ctl_timeout");
  section.notUsed("remove_data_directory_on_diverged_timelines");
  section.notUsed("rewind");
}
