// What lies in the data directory, and may we touch it?
import { realpath, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../../model/error.ts";
import { type DirectoryState, isTooLittle } from "../../model/server.ts";
import { exists, isAbsent, namesIn } from "./files.ts";
import { readMarker } from "./marker.ts";
import type { Place } from "./place.ts";

/** A file system's own folder does not make a directory somebody's. */
const NOT_DATA = new Set(["lost+found"]);

export async function directoryState({ dataDir, stateDir }: Place): Promise<DirectoryState> {
  if ((await readMarker(stateDir)) !== undefined) return "marked";
  if (!(await exists(dataDir))) return "missing";
  const names = (await namesIn(dataDir)).filter((name) => !NOT_DATA.has(name));
  if (names.length === 0) return "empty";
  return names.includes("PG_VERSION") && names.includes("global") ? "data" : "foreign";
}

/** The server refuses a directory that is not its user's; better said before anything is tried. */
export async function checkOwner({ dataDir, user }: Place): Promise<void> {
  const seen = await stat(dataDir).catch(isAbsent);
  const wanted = user?.uid ?? process.geteuid?.();
  if (seen === undefined || seen.uid === wanted) return;
  const why = `it belongs to user number ${seen.uid}, the server runs as ${user?.name ?? wanted}`;
  throw new AppError("PG_DATA_OWNER", `using ${dataDir}`, why);
}

/** A directory that another file system is mounted on, which cannot be renamed. */
export async function isMountPoint(path: string): Promise<boolean> {
  const [own, parent] = await Promise.all([
    stat(path).catch(isAbsent),
    stat(dirname(await realpath(path).catch(() => path))).catch(isAbsent),
  ]);
  return own !== undefined && parent !== undefined && own.dev !== parent.dev;
}

/** Free and total bytes for the server's user; undefined when the system does not say. */
export async function diskSpace(
  path: string,
): Promise<{ readonly free: number; readonly total: number } | undefined> {
  for (const place of [path, dirname(path)]) {
    try {
      const { bavail, blocks, bsize } = await statfs(place);
      return { free: bavail * bsize, total: blocks * bsize };
    } catch {
      // Not there yet: its parent is on the same file system, or nobody knows.
    }
  }
  return undefined;
}

export async function isDiskFull(path: string): Promise<boolean> {
  const space = await diskSpace(path);
  return space !== undefined && isTooLittle(space.free);
}

export const signalPath = (dataDir: string): string => join(dataDir, "standby.signal");
