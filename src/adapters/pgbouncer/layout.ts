// Where do PgBouncer's files lie? One folder, which only its user may enter.
import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import { asFileError } from "../system/durable-file.ts";
import type { OsUser } from "../system/os-user.ts";

/** The kernel takes no longer path for a socket. */
const LONGEST_SOCKET_PATH = 107;

/** The file that the process with this number (from 1) is started with. */
export const settingsFile = (dir: string, number: number): string =>
  join(dir, `pgbouncer-${number}.ini`);
/** Where the logical databases lead; every process reads it. */
export const routesFile = (dir: string): string => join(dir, "routes.ini");
/** Users and passwords: the user's own file, and our way to the console. */
export const usersFile = (dir: string): string => join(dir, "users.txt");
/** Who may come in without a password, written only for `auth.type: trust`. */
export const hbaFile = (dir: string): string => join(dir, "hba.conf");
export const socketDir = (dir: string, number: number): string => join(dir, String(number));
export const logFile = (dir: string, number: number): string =>
  join(dir, `pgbouncer-${number}.log`);
export const pidFile = (dir: string, number: number): string =>
  join(dir, `pgbouncer-${number}.pid`);
/** The password of the console; also what the releaser reads. */
export const consoleKeyFile = (dir: string): string => join(dir, "console.key");
/** Who has paused the pooler, and until when. */
export const holdFile = (dir: string): string => join(dir, "hold.json");
export const releaserLog = (dir: string): string => join(dir, "releaser.log");
/** A configuration is tried in here before it takes the place of one that works. */
export const trialDir = (dir: string): string => join(dir, "trial");

/** Makes what is missing. Throws CONFIG_INVALID when a socket could not lie there. */
export async function prepareFolders(
  dir: string,
  numbers: readonly number[],
  user: OsUser | undefined,
): Promise<void> {
  // The longest of all: the trial's, with the longest port.
  const longest = join(socketDir(trialDir(dir), 64), ".s.PGSQL.65535");
  if (Buffer.byteLength(longest) > LONGEST_SOCKET_PATH) {
    const why = `${dir} is too long for a socket below it; set router.pgbouncer.dir`;
    throw new AppError("CONFIG_INVALID", "preparing PgBouncer's folder", why);
  }
  for (const folder of [dir, ...numbers.map((number) => socketDir(dir, number))]) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (user !== undefined) await chown(folder, user.uid, user.gid);
    } catch (error) {
      throw asFileError(error, `making ${folder}`);
    }
  }
}
