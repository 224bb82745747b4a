// Where is PgBouncer, which version is it, and what can that version do?
import { accessSync, constants } from "node:fs";
import { basename, join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import { findOsUser, isRoot, type OsUser } from "../system/os-user.ts";
import { run } from "../system/spawn.ts";

/** Older ones were never tried: 1.17 brought host lists, 1.18 mended them. */
const OLDEST_MINOR = 18;
const ASK_LIMIT_MS: Ms = 10_000;

export interface PgbouncerVersion {
  /** `1.18.0`. */
  readonly text: string;
  /** The number behind `1.`. */
  readonly minor: number;
}

export interface Program {
  readonly path: string;
  readonly version: PgbouncerVersion;
  /** Whom it runs as when we are root: PgBouncer refuses to be root. Undefined: it runs as what we are. */
  readonly user: OsUser | undefined;
}

/** Finds the program by path or name and asks its version. Throws PROGRAM_MISSING or PROGRAM_TOO_OLD. */
export async function findPgbouncer(bin: string): Promise<Program> {
  const path = pathOf(bin);
  const { stdout } = await run({ program: path, args: ["--version"], timeoutMs: ASK_LIMIT_MS });
  const version = parseVersion(stdout);
  if (version === undefined || version.minor < OLDEST_MINOR) {
    const found = version?.text ?? "of unknown version";
    const why = `${path} is ${found}, needed is 1.${OLDEST_MINOR}`;
    throw new AppError("PROGRAM_TOO_OLD", "looking for PgBouncer", why);
  }
  return { path, version, user: unprivileged() };
}

/** The version as `pgbouncer --version` and `SHOW VERSION` print it; undefined when it is none. */
export function parseVersion(text: string): PgbouncerVersion | undefined {
  const match = /PgBouncer (1\.(\d+)\S*)/.exec(text);
  return match === null ? undefined : { text: match[1] ?? "", minor: Number(match[2]) };
}

/** One console command ends a single client (`KILL_CLIENT`). */
export const canKillClient = ({ minor }: PgbouncerVersion): boolean => minor >= 24;
/** Several processes pass a cancel request on to the one that it is meant for. */
export const hasPeers = ({ minor }: PgbouncerVersion): boolean => minor >= 19;
/** The signal that ends it at once; since 1.23 SIGTERM waits until the last client has left. */
export const stopSignal = ({ minor }: PgbouncerVersion): NodeJS.Signals =>
  minor >= 23 ? "SIGQUIT" : "SIGTERM";

/** Names are looked for in PATH and where administration programs live, which PATH of a service often lacks. */
function pathOf(bin: string): string {
  const inPath = (process.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const candidates = bin.includes("/")
    ? [bin]
    : [...inPath, "/usr/local/sbin", "/usr/sbin", "/sbin"].map((folder) => join(folder, bin));
  const found = candidates.find(canRun);
  if (found !== undefined) return found;
  const why = bin.includes("/")
    ? `there is no ${bin}`
    : `${bin} is neither in PATH nor in /usr/sbin`;
  throw new AppError("PROGRAM_MISSING", `looking for ${basename(bin)}`, why);
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Packages run it as a user of its own or as the database's; what it may read is small either way. */
function unprivileged(): OsUser | undefined {
  if (!isRoot()) return undefined;
  for (const name of ["pgbouncer", "postgres"]) {
    try {
      return findOsUser(name);
    } catch {
      // The next one.
    }
  }
  return findOsUser("nobody");
}
