// How do the files of a data directory come to be, and stay, after a power cut?
import { constants } from "node:fs";
import { access, chmod, chown, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory } from "../system/durable-file.ts";
import type { OsUser } from "../system/os-user.ts";

/** Whose the file shall be; undefined leaves it ours. */
export type Owner = OsUser | undefined;

/** A catch handler: a missing file is a normal answer, everything else is not. */
export function isAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(isAbsent)) !== undefined;
}

export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** Makes the directory, and what leads to it, if it is missing; an existing one is left as it is. */
export async function ensureDirectory(path: string, owner: Owner, mode: number): Promise<void> {
  if (await exists(path)) return;
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

/** Lets the server's user pass through a directory of ours without seeing what is in it. */
export async function letThrough(path: string, owner: Owner): Promise<void> {
  if (owner === undefined) return;
  const { mode } = await stat(path);
  if ((mode & 0o011) !== 0o011) await chmod(path, (mode & 0o7777) | 0o011);
}

/** The names in a directory; empty when there is none. */
export async function namesIn(path: string): Promise<readonly string[]> {
  return (await readdir(path).catch(isAbsent)) ?? [];
}

/** Removes what is in it, not the directory itself, which may be a link or a mount point. */
export async function emptyDirectory(path: string): Promise<void> {
  for (const name of await namesIn(path)) {
    if (name !== "lost+found") await rm(join(path, name), { recursive: true, force: true });
  }
}

export function canExecute(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Bytes in all files below a directory: the progress of a copy, for people. */
export async function sizeBelow(path: string): Promise<number> {
  let total = 0;
  for (const entry of (await readdir(path, { withFileTypes: true }).catch(isAbsent)) ?? []) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) total += await sizeBelow(child);
    else total += (await stat(child).catch(isAbsent))?.size ?? 0;
  }
  return total;
}
