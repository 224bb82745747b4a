// From which backup is a copy for a standby made, and from which one a whole new cluster?
import type { WishedTarget } from "./backup-words.ts";
import { parseLsn } from "./lsn.ts";
import type { BackupCopy, BackupOrigin } from "./settings.ts";
import { readPlace } from "./settings-place.ts";
import type { Section } from "./settings-reader.ts";
import { parseRfc3339 } from "./wire/rfc3339.ts";

/** The built-in method's name; a section of this name with a `command` in it is a method of the user's. */
export const FROM_BACKUP = "backup";

/** Whether the name beside `methods` means our own backups. */
export const isFromBackup = (methods: Section, name: string): boolean =>
  name === FROM_BACKUP && !methods.section(FROM_BACKUP).has("command");

/** `postgresql.backup`, for `create_replica_methods: [backup, …]`. */
export function readBackupCopy(postgresql: Section, repositories: readonly string[]): BackupCopy {
  const section = postgresql.section(FROM_BACKUP);
  const repository = readRepository(section, repositories);
  if (repositories.length === 0)
    postgresql.problem("create_replica_methods", "names backup, but no section backup is there");
  section.close();
  return { name: FROM_BACKUP, repository };
}

/** `bootstrap.backup`, for `bootstrap.method: backup`. */
export function readBackupOrigin(
  bootstrap: Section,
  repositories: readonly string[],
): BackupOrigin {
  const section = bootstrap.section(FROM_BACKUP);
  const isElsewhere = section.has("directory") || section.has("s3");
  const repository = readRepository(section, repositories);
  if (isElsewhere && repository !== undefined)
    section.problem("repository", "stands beside a place: keep one of them");
  if (!isElsewhere && repositories.length === 0)
    bootstrap.problem("method", "is backup, but no section backup is there: give backup.directory");
  const systemId = section.text("system");
  if (systemId !== undefined && !/^\d{1,20}$/.test(systemId))
    section.problem("system", "must be a system identifier, the number that backups lie below");
  const origin: BackupOrigin = {
    name: FROM_BACKUP,
    repository,
    place: isElsewhere ? readPlace(bootstrap, FROM_BACKUP, section) : undefined,
    scope: section.text("scope"),
    systemId,
    id: section.text("id"),
    to: readTarget(section),
    timeline: section.number("timeline", { min: 1 }),
    identityFile: section.text("identity_file"),
  };
  section.close();
  return origin;
}

function readRepository(section: Section, known: readonly string[]): string | undefined {
  const name = section.text("repository");
  if (name !== undefined && known.length > 0 && !known.includes(name))
    section.problem("repository", `is ${name}, and there are ${known.join(", ")}`);
  return name;
}

const PLACES = ["to_time", "to_lsn", "to_xid", "to_name"] as const;
const KINDS = { to_time: "time", to_lsn: "lsn", to_xid: "xid", to_name: "name" } as const;

/** As on the command line of a restore; nothing means everything that lies there without a hole. */
function readTarget(section: Section): WishedTarget {
  const to = section.choice("to", ["latest-proven", "backup"]);
  const said = PLACES.flatMap((key): WishedTarget[] => {
    const at = section.text(key);
    if (at === undefined) return [];
    if (key === "to_time" && parseRfc3339(at) === undefined)
      section.problem(key, `must be a moment with its zone, not "${at}"`);
    if (key === "to_lsn" && parseLsn(at) === undefined)
      section.problem(key, `must be a position like 0/3000148, not "${at}"`);
    return [{ kind: KINDS[key], at }];
  });
  if (to !== undefined) said.push({ kind: to === "backup" ? "backup" : "latest" });
  if (said.length > 1) section.problem("to", "is said more than once: recovery ends at one place");
  return said[0] ?? { kind: "latest" };
}
