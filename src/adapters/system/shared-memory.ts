// Is anybody still attached to the shared memory of the server in this directory (R2)?
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface PostmasterFile {
  readonly pid: number;
  readonly segment: { readonly key: number; readonly id: number } | undefined;
}

/** What postmaster.pid says; undefined when there is none (or it is half written). */
export function readPostmasterFile(dataDir: string): PostmasterFile | undefined {
  try {
    return parsePostmasterFile(readFileSync(join(dataDir, "postmaster.pid"), "utf8"));
  } catch {
    return undefined;
  }
}

export function parsePostmasterFile(text: string): PostmasterFile | undefined {
  const lines = text.split("\n");
  // A single-user server writes its pid with a minus sign.
  const pid = Math.abs(Number.parseInt(lines[0] ?? "", 10));
  if (!Number.isInteger(pid) || pid === 0) return undefined;
  const [key, id] = (lines[6] ?? "").trim().split(/\s+/).map(Number);
  const isNamed = Number.isInteger(key) && Number.isInteger(id);
  return { pid, segment: isNamed ? { key: key ?? 0, id: id ?? 0 } : undefined };
}

/** How many processes are attached to the segment; 0 when it is gone. Throws when the system does not say. */
export function attachCount(
  segment: { readonly key: number; readonly id: number },
  table = "/proc/sysvipc/shm",
): number {
  const [header, ...rows] = readFileSync(table, "latin1").trimEnd().split("\n");
  const names = (header ?? "").trim().split(/\s+/);
  const [keyAt, idAt, attachedAt] = ["key", "shmid", "nattch"].map((name) => names.indexOf(name));
  for (const row of rows) {
    const fields = row.trim().split(/\s+/).map(Number);
    const isKey = (fields[keyAt ?? -1] ?? 0) >>> 0 === segment.key >>> 0;
    if (isKey && fields[idAt ?? -1] === segment.id) return fields[attachedAt ?? -1] ?? 0;
  }
  return 0;
}
