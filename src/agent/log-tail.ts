// What are the last lines of a log file, and what has come since?
import { open } from "node:fs/promises";

const MOST_BYTES = 256 * 1024;

export interface LogPart {
  /** Oldest first. */
  readonly lines: readonly string[];
  /** Where the next reading goes on; undefined when there is no such file. */
  readonly next: number | undefined;
}

/** What has been written behind `from`, whole lines only; all of it when the file was begun anew. */
export async function linesSince(path: string | undefined, from: number): Promise<LogPart> {
  if (path === undefined) return { lines: [], next: undefined };
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const begin = Math.max(size < from ? 0 : from, size - MOST_BYTES);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(size - begin),
      0,
      size - begin,
      begin,
    );
    const end = buffer.lastIndexOf("\n", bytesRead - 1);
    if (end < 0) return { lines: [], next: begin };
    const lines = buffer.subarray(0, end).toString("utf8").split("\n");
    return { lines, next: begin + end + 1 };
  } catch {
    return { lines: [], next: undefined };
  }
}

/** The last `lines` of a file; an absent or unreadable file has none. */
export async function lastLines(path: string | undefined, lines: number): Promise<LogPart> {
  const part = await linesSince(path, 0);
  return { ...part, lines: part.lines.slice(-lines) };
}
