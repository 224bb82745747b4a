// What do the configuration files in the data directory say?
//
// On disk the server listens nowhere (R17): whoever starts it without the agent gets a server that nobody can reach.
// The real address is on the command line. The file that initdb or an administrator wrote is kept as
// postgresql.base.conf, as Patroni does, and read first.
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { BaseConfig } from "../../model/settings.ts";
import { parseSyncNames, printSyncNames, type SyncNames } from "../../model/sync.ts";
import { writeDurably } from "../system/durable-file.ts";
import { type Conninfo, printConninfo } from "./conninfo.ts";
import { isAbsent, type Owner } from "./files.ts";
import type { Parameters } from "./parameters.ts";

const FIRST_LINE = "# Written by Understudy. Changes belong into the cluster's configuration.";
const UPSTREAM_FILE = "postgresql.upstream.conf";
const SYNC_FILE = "postgresql.sync.conf";
const SYNC_NAMES = "synchronous_standby_names";

/** Beyond the reach of postgresql.conf: ALTER SYSTEM would put an address back that R17 has taken away. */
const NOT_IN_AUTO = new Set([
  "listen_addresses",
  "port",
  "unix_socket_directories",
  "archive_mode",
  "primary_conninfo",
  "primary_slot_name",
]);

const quote = (value: string): string =>
  `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''").replaceAll("\n", "\\n")}'`;

const unquoted = (text: string): string => text.replaceAll("''", "'").replaceAll("\\\\", "\\");

const line = ([name, value]: readonly [string, string]): string => `${name} = ${quote(value)}\n`;

/** The file that was there before us; a setting may name another one, which need not be there. */
const KEPT_BASE: BaseConfig = { path: "postgresql.base.conf", isNeeded: true };

/** The text of postgresql.conf. */
export const renderConfig = (file: Parameters, base: BaseConfig = KEPT_BASE): string =>
  [
    `${FIRST_LINE}\n${base.isNeeded ? "include" : "include_if_exists"} ${quote(base.path)}\n\n`,
    ...Object.entries(file).map(line),
    `\ninclude_if_exists '${UPSTREAM_FILE}'\ninclude_if_exists '${SYNC_FILE}'\n\n`,
    "# Nobody reaches a server that was not started by the agent: it gives the real values itself.\n",
    "listen_addresses = ''\nunix_socket_directories = ''\narchive_mode = off\n",
    "external_pid_file = ''\n",
  ].join("");

/** The text that names the upstream, kept apart so that a reload of it touches nothing else. */
export const renderUpstream = ({ connection, slot }: UpstreamConfig): string =>
  [
    `${FIRST_LINE}\n`,
    line(["primary_conninfo", connection === undefined ? "" : printConninfo(connection)]),
    line(["primary_slot_name", slot ?? ""]),
  ].join("");

export interface ConfigFiles {
  readonly config: string;
  readonly hba: string;
  readonly ident: string;
}

const paths = (dataDir: string): readonly (readonly [keyof ConfigFiles, string])[] => [
  ["config", join(dataDir, "postgresql.conf")],
  ["hba", join(dataDir, "pg_hba.conf")],
  ["ident", join(dataDir, "pg_ident.conf")],
];

/** Every file whose text is judged at a look. */
export const judgedPaths = (dataDir: string): readonly string[] => [
  ...paths(dataDir).map(([, path]) => path),
  join(dataDir, SYNC_FILE),
];

/** Do the files say something else than they should? */
export async function areStale(dataDir: string, wanted: ConfigFiles): Promise<boolean> {
  for (const [key, path] of paths(dataDir)) {
    if ((await textOf(path)) !== wanted[key]) return true;
  }
  return false;
}

/** Writes what differs. The first time, the file that was there becomes the base. */
export async function writeConfigFiles(
  dataDir: string,
  wanted: ConfigFiles,
  owner: Owner,
): Promise<void> {
  await keepBase(dataDir, owner);
  for (const [key, path] of paths(dataDir)) {
    if ((await textOf(path)) !== wanted[key]) await writeDurably(path, wanted[key], { owner });
  }
}

/** Whom to follow; neither connection nor slot means nobody. */
export interface UpstreamConfig {
  readonly connection: Conninfo | undefined;
  readonly slot: string | undefined;
}

export async function writeUpstream(
  dataDir: string,
  upstream: UpstreamConfig,
  owner: Owner,
): Promise<void> {
  const path = join(dataDir, UPSTREAM_FILE);
  const text = renderUpstream(upstream);
  if ((await textOf(path)) !== text) await writeDurably(path, text, { owner });
}

/**
 * Which standbys a commit waits for stands in a file of its own: it changes by reload (the command line cannot), comes
 * after whatever the user set, and is left empty when the setting is the user's.
 */
export async function writeSyncNames(
  dataDir: string,
  names: SyncNames,
  owner: Owner,
): Promise<void> {
  const path = join(dataDir, SYNC_FILE);
  const setting = printSyncNames(names);
  const text = `${FIRST_LINE}\n${setting === undefined ? "" : line([SYNC_NAMES, setting])}`;
  if ((await textOf(path)) !== text) await writeDurably(path, text, { owner });
  if (setting !== undefined) await cleanAutoConfig(dataDir, owner, new Set([SYNC_NAMES]));
}

/** What the file says; without one, or with one that nobody of ours wrote, the setting is the user's. */
export async function readSyncNames(dataDir: string): Promise<SyncNames> {
  const text = (await textOf(join(dataDir, SYNC_FILE))) ?? "";
  const [, setting] = /^synchronous_standby_names = '(.*)'$/m.exec(text) ?? [];
  const names = setting === undefined ? undefined : parseSyncNames(unquoted(setting));
  return names ?? { kind: "unmanaged" };
}

/** Takes lines out of postgresql.auto.conf that would make the directory reachable or follow somebody. */
export async function cleanAutoConfig(
  dataDir: string,
  owner: Owner,
  unwanted: ReadonlySet<string> = NOT_IN_AUTO,
): Promise<readonly string[]> {
  const path = join(dataDir, "postgresql.auto.conf");
  const text = (await textOf(path)) ?? "";
  const isKept = (row: string): boolean => {
    const name = /^\s*([A-Za-z_.]+)\s*=/.exec(row)?.[1]?.toLowerCase() ?? "";
    return !unwanted.has(name) && !name.startsWith("recovery_target");
  };
  const rows = text.split("\n");
  const removed = rows.filter((row) => !isKept(row));
  if (removed.length > 0) await writeDurably(path, rows.filter(isKept).join("\n"), { owner });
  return removed.map((row) => row.split("=")[0]?.trim() ?? "");
}

async function keepBase(dataDir: string, owner: Owner): Promise<void> {
  const path = join(dataDir, "postgresql.conf");
  const base = join(dataDir, "postgresql.base.conf");
  const text = await textOf(path);
  const isOurs = text === undefined || text.startsWith(FIRST_LINE);
  if (isOurs || text.includes("postgresql.base.conf")) {
    if ((await textOf(base)) === undefined) await writeDurably(base, "", { owner });
    return;
  }
  await rename(path, base);
}

function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(isAbsent);
}
