// A little room kept back, so that the agent can still write its own facts on a full disk (R43).
import { open, rm, stat } from "node:fs/promises";
import { asFileError } from "./durable-file.ts";

const RESERVE_BYTES = 1024 * 1024;

/** Makes sure the reserve exists, with real blocks behind it. False when the disk has no room for it now. */
export async function ensureReserve(path: string): Promise<boolean> {
  try {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size === RESERVE_BYTES) return true;
    const file = await open(path, "w", 0o600);
    try {
      // Written, not merely sized: a hole reserves nothing.
      await file.writeFile(Buffer.alloc(RESERVE_BYTES, 1));
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    const failure = asFileError(error, `reserving room in ${path}`);
    if (failure.code === "PG_DISK_FULL") return false;
    throw failure;
  }
}

/** Gives the room back: the last megabyte on a full disk is ours. */
export async function releaseReserve(path: string): Promise<void> {
  await rm(path, { force: true });
}
