// Which System V segments do the lab's servers leave when they are killed?
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { requireProgram } from "./programs.ts";
import type { LabMember } from "./record.ts";

/** The segment named in the data directory's `postmaster.pid`, if there is one. */
export function segmentOf(member: LabMember): number | undefined {
  try {
    const lines = readFileSync(join(member.dataDir, "postmaster.pid"), "utf8").split("\n");
    const id = Number(lines[6]?.trim().split(/\s+/)[1]);
    return Number.isInteger(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Removes a segment that nobody uses any more and that is `owner`'s. */
export function removeSegment(id: number, owner: number): void {
  const segment = segments().find((s) => s.id === id);
  if (segment === undefined || segment.attached > 0 || segment.owner !== owner) return;
  execFileSync(requireProgram("ipcrm"), ["-m", String(id)], { stdio: "ignore" });
}

/** All System V segments of this machine. */
export function segments(): readonly { id: number; attached: number; owner: number }[] {
  const [, ...rows] = readFileSync("/proc/sysvipc/shm", "utf8").trim().split("\n");
  return rows.map((row) => {
    const [, id, , , , , attached, owner] = row.trim().split(/\s+/).map(Number);
    return { id: id ?? -1, attached: attached ?? 1, owner: owner ?? -1 };
  });
}
