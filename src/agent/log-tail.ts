// What are the last lines of a log file?
import { open } from "node:fs/promises";

const MOST_BYTES = 256 * 1024;

/** The last `lines` of a file, oldest first; an absent or unreadable file has none. */
export async function lastLines(
  path: string | undefined,
  lines: number,
): Promise<readonly string[]> {
  if (path === undefined) return [];
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const length = Math.min(size, MOST_BYTES);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8").trimEnd().split("\n").slice(-lines);
  } catch {
    return [];
  }
}
