// Where is PgBouncer, which version is it, and what can that version do?
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import type { OsUser } from "../system/os-user.ts";
import { findInstalled, unprivileged } from "../system/program.ts";
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
  const path = findInstalled(bin);
  const { stdout } = await run({ program: path, args: ["--version"], timeoutMs: ASK_LIMIT_MS });
  const version = parseVersion(stdout);
  if (version === undefined || version.minor < OLDEST_MINOR) {
    const found = version?.text ?? "of unknown version";
    const why = `${path} is ${found}, needed is 1.${OLDEST_MINOR}`;
    throw new AppError("PROGRAM_TOO_OLD", "looking for PgBouncer", why);
  }
  // Packages run it as a user of its own or as the database's; what it may read is small either way.
  return { path, version, user: unprivileged("pgbouncer", "postgres") };
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
