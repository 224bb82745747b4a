// How does replay become slow for want of a processor? The one process that replays gets a control group of its own,
// with a quota.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../model/error.ts";
import { belongingsOf } from "./belongings.ts";
import { linkPrefix } from "./network.ts";
import { type LabRecord, requireMember } from "./record.ts";

/** Where groups live: of the first kind of control groups, or the second. */
const FIRST = { root: "/sys/fs/cgroup/cpu", file: "cpu.cfs_quota_us" } as const;
const SECOND = { root: "/sys/fs/cgroup", file: "cpu.max" } as const;
const PERIOD_US = 100_000;
/** The kernel takes no smaller quota. */
const LEAST_US = 1_000;

/** So many hundredths of one processor for the process that replays WAL on this node. */
export function slowReplay(lab: LabRecord, node: string, percent: number): void {
  const refuse = (why: string): never => {
    throw new AppError("NOT_POSSIBLE", `slow down the replay of ${node}`, why);
  };
  if (percent < 1 || percent > 100) refuse("--cpu is a number from 1 to 100");
  requireMember(lab, node);
  const startup = belongingsOf(lab, node).find(({ process: { args } }) =>
    /^postgres: .*\bstartup\b/.test(args[0] ?? ""),
  );
  if (startup === undefined) return refuse("it replays nothing: no startup process runs");
  const { root, file } = kind();
  const group = groupOf(root, lab, node);
  mkdirSync(group, { recursive: true });
  const quota = Math.max(LEAST_US, (PERIOD_US * percent) / 100);
  writeFileSync(join(group, file), file === FIRST.file ? `${quota}` : `${quota} ${PERIOD_US}`);
  writeFileSync(join(group, "cgroup.procs"), String(startup.process.pid));
  if (root === FIRST.root && !readFileSync(join(group, file), "utf8").startsWith(`${quota}`))
    refuse(`the quota in ${root} has no effect here`);
}

/** Gives replay its processor back; that it has it is fine. */
export function freeReplay(lab: LabRecord, node: string): void {
  for (const { root, file } of [FIRST, SECOND]) {
    const group = groupOf(root, lab, node);
    if (!existsSync(group)) continue;
    writeFileSync(join(group, file), file === FIRST.file ? "-1" : `max ${PERIOD_US}`);
    for (const pid of readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").filter(Boolean))
      writeFileSync(join(root, "cgroup.procs"), pid);
    rmdirSync(group);
  }
}

function kind() {
  if (existsSync(join(FIRST.root, "cgroup.procs"))) return FIRST;
  try {
    writeFileSync(join(SECOND.root, "cgroup.subtree_control"), "+cpu");
    return SECOND;
  } catch (error) {
    const why = "there are no control groups for processors here";
    throw new AppError("NOT_POSSIBLE", "slow down replay", why, error);
  }
}

const groupOf = (root: string, lab: LabRecord, node: string): string =>
  join(root, `${linkPrefix(lab.name)}-${node}-replay`);
