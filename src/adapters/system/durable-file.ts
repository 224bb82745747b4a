// Small facts that must survive a power cut: whole or not at all, and on the disk before they are relied on.
import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "../../model/error.ts";

export interface DurableFileOptions {
  readonly mode?: number;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** Replaces `path` by `text`: a reader, or the next boot, sees the old file or the new one. */
export async function writeDurably(
  path: string,
  text: string | Uint8Array,
  options: DurableFileOptions = {},
): Promise<void> {
  const next = join(dirname(path), `.${basename(path)}.${process.pid}.new`);
  try {
    const file = await open(next, "w", options.mode ?? 0o600);
    await using _ = closing(file);
    await file.writeFile(text);
    if (options.owner !== undefined) await file.chown(options.owner.uid, options.owner.gid);
    await file.sync();
    await rename(next, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(next, { force: true }).catch(() => undefined);
    throw asFileError(error, `writing ${path}`);
  }
}

/** Removes `path` so that it stays removed. */
export async function removeDurably(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
    await syncDirectory(dirname(path));
  } catch (error) {
    throw asFileError(error, `removing ${path}`);
  }
}

/** The text of a file, or undefined when there is none. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw asFileError(error, `reading ${path}`);
  }
}

/** A name is durable only when its directory is. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  await using _ = closing(directory);
  await directory.sync();
}

/** A failed file operation with the code that tells an operator what to do. */
export function asFileError(error: unknown, attempt: string): AppError {
  const code = codeOf(error);
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  const why = error instanceof Error ? error.message : String(error);
  return new AppError(isFull ? "PG_DISK_FULL" : "NOT_POSSIBLE", attempt, why, error);
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

const closing = (file: FileHandle) => ({ [Symbol.asyncDispose]: () => file.close() });
