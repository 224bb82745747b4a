// How does a server run out of memory, for itself alone? Its first process gets a control group that has none to give:
// the kernel kills it with its next page, as it does on a host that has none left.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { belongingsOf } from "./belongings.ts";
import { linkPrefix } from "./network.ts";
import { processOf } from "./processes.ts";
import { type LabRecord, requireMember } from "./record.ts";
import { waitFor } from "./wait-until.ts";

/** Where groups live: of the first kind of control groups, or the second. */
const FIRST = { root: "/sys/fs/cgroup/memory", file: "memory.limit_in_bytes" } as const;
const SECOND = { root: "/sys/fs/cgroup", file: "memory.max" } as const;
/** A page or so: a group with no room at all cannot be entered everywhere. */
const ROOM_BYTES = 16_384;
/** The kernel would rather kill a backend: this makes the first process the one. */
const FIRST_TO_GO = 1_000;
const KILL_LIMIT_MS: Ms = 30_000;

/** Ends when the kernel has killed it; the group is gone then as well. */
export async function starveMemory(lab: LabRecord, node: string): Promise<void> {
  requireMember(lab, node);
  const postmaster = belongingsOf(lab, node).find(({ role }) => role === "postmaster")?.process;
  if (postmaster === undefined)
    throw new AppError("NOT_POSSIBLE", `take the memory of ${node}`, "no server runs there");
  const { root, file } = kind();
  const group = join(root, `${linkPrefix(lab.name)}-${node}-memory`);
  mkdirSync(group, { recursive: true });
  try {
    writeFileSync(join(group, file), String(ROOM_BYTES));
    writeFileSync(`/proc/${postmaster.pid}/oom_score_adj`, String(FIRST_TO_GO));
    writeFileSync(join(group, "cgroup.procs"), String(postmaster.pid));
    const isGone = () => processOf(postmaster.pid)?.startTime !== postmaster.startTime;
    await waitFor(`the kernel to kill ${postmaster.pid}`, isGone, { limitMs: KILL_LIMIT_MS });
  } finally {
    await remove(root, group);
  }
}

/** Children that were born in the group go back to where they came from. */
async function remove(root: string, group: string): Promise<void> {
  const isEmpty = (): boolean => {
    const pids = readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
    for (const pid of pids) {
      try {
        writeFileSync(join(root, "cgroup.procs"), pid);
      } catch {
        // It has ended meanwhile.
      }
    }
    return pids.length === 0;
  };
  await waitFor(`an empty ${group}`, isEmpty, { limitMs: KILL_LIMIT_MS });
  rmdirSync(group);
}

function kind() {
  if (existsSync(join(FIRST.root, "cgroup.procs"))) return FIRST;
  try {
    writeFileSync(join(SECOND.root, "cgroup.subtree_control"), "+memory");
    return SECOND;
  } catch (error) {
    const why = "there are no control groups for memory here";
    throw new AppError("NOT_POSSIBLE", "take memory away", why, error);
  }
}
