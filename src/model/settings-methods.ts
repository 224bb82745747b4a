// What makes a data directory, a new cluster or a copy for a standby: our own ways, or commands of the user's?
import type { BackupOrigin, CloneMethod, OwnMethod } from "./settings.ts";
import { isFromBackup, readBackupCopy, readBackupOrigin } from "./settings-from-backup.ts";
import type { Section } from "./settings-reader.ts";

const BUILT_IN = "basebackup";
/** Patroni reads the singular too, which Debian's template has. */
const METHODS_KEYS = ["create_replica_methods", "create_replica_method"] as const;
/** Debian's command begins with pg_dropcluster. */
const DROPS_DATA = /(?:^|\/)pg_clonecluster_patroni(?:\s|$)/;

/**
 * `create_replica_methods`: tried in this order. Our own copy over the network is the only one when none is named.
 * `repositories` are the names of those that the file has.
 */
export function readCloneMethods(
  section: Section,
  repositories: readonly string[],
): readonly CloneMethod[] {
  const key = METHODS_KEYS.find((one) => section.has(one)) ?? METHODS_KEYS[0];
  const methods = section.texts(key).flatMap((name): readonly CloneMethod[] => {
    if (name === BUILT_IN) return [BUILT_IN];
    if (isFromBackup(section, name)) return [readBackupCopy(section, repositories)];
    const own = readMethod(section, key, name);
    if (own === undefined) return [];
    const inner = section.section(name);
    if (DROPS_DATA.test(own.command)) {
      const why = "it removes the old data before the copy is made; our own copy is taken instead";
      inner.warn("command", `has no effect: ${why}`);
      return [BUILT_IN];
    }
    const beside =
      "has no effect: a copy is made beside the old data, which stays until it is done";
    if (inner.has("keep_data")) inner.warn("keep_data", beside);
    if (inner.has("no_leader"))
      inner.warn("no_leader", "has no effect: a copy waits for a primary");
    return [own];
  });
  return methods.length === 0 ? [BUILT_IN] : methods;
}

/** `bootstrap.method`: undefined means initdb. */
export function readBootstrapMethod(
  section: Section,
  repositories: readonly string[],
): BackupOrigin | OwnMethod | undefined {
  const name = section.text("method");
  if (name === undefined || name === "initdb") return undefined;
  if (isFromBackup(section, name)) return readBackupOrigin(section, repositories);
  const own = readMethod(section, "method", name);
  const inner = section.section(name);
  for (const key of ["recovery_conf", "keep_existing_recovery_conf"]) {
    const why = "is not supported: method backup recovers a new cluster from a repository";
    if (inner.has(key)) inner.problem(key, why);
  }
  return own;
}

/** Keys that are not parameters of the command. */
const OF_THE_METHOD = new Set([
  "command",
  "no_params",
  "keep_data",
  "no_leader",
  "recovery_conf",
  "keep_existing_recovery_conf",
]);

function readMethod(section: Section, key: string, name: string): OwnMethod | undefined {
  if (!section.has(name)) {
    section.problem(key, `names ${name}, but there is no section of that name beside it`);
    return undefined;
  }
  const inner = section.section(name);
  const command = inner.required("command", "what is run to make the data directory");
  const isBare = inner.flag("no_params") ?? false;
  const parameters = inner
    .names()
    .filter((parameter) => !OF_THE_METHOD.has(parameter))
    .map((parameter) => `--${parameter}=${inner.text(parameter) ?? ""}`);
  return { name, command, isBare, parameters };
}
