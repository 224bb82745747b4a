// How does a node's disk become slow? A control group in which all of the node's processes live may write only
// so many times a second to the block device below the node's folder. Their children are born into it.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../model/error.ts";
import { belongingsOf } from "./belongings.ts";
import { deviceOf } from "./disks.ts";
import { linkPrefix } from "./network.ts";
import { type LabMember, type LabRecord, requireMember } from "./record.ts";

/** Where groups live and how a limit is written: of the first kind of control groups, or the second. */
const FIRST = { root: "/sys/fs/cgroup/blkio", file: "blkio.throttle.write_iops_device" } as const;
const SECOND = { root: "/sys/fs/cgroup", file: "io.max" } as const;

const PROBES = 5;

/** At most so many writes a second for this node. Returns when a write has been seen to be that slow. */
export function slowDisk(lab: LabRecord, node: string, perSecond: number): void {
  const member = requireMember(lab, node);
  const refuse = (why: string): never => {
    throw new AppError("NOT_POSSIBLE", `slow down the disk of ${node}`, why);
  };
  if (lab.diskMegabytes === undefined || lab.diskKind !== "file") {
    refuse("start the lab with --disk 1024 --disk-kind file");
  }
  const { root, file } = kind();
  const group = groupOf(lab, member);
  mkdirSync(group, { recursive: true });
  const device = deviceOf(member);
  writeFileSync(
    join(group, file),
    file === FIRST.file ? `${device} ${perSecond}` : `${device} wiops=${perSecond}`,
  );
  moveAll(lab, member, group);
  const tookMs = probe(member, group);
  if (tookMs < ((PROBES - 1) * 500) / perSecond) {
    freeDiskSpeed(lab, node);
    refuse(
      `${PROBES} writes took ${Math.round(tookMs)} ms: the limit in ${root} has no effect here`,
    );
  }
}

/** Gives the disk its speed back; that it has it is fine. */
export function freeDiskSpeed(lab: LabRecord, node: string): void {
  const member = requireMember(lab, node);
  const group = groupOf(lab, member);
  if (!existsSync(group)) return;
  const { root, file } = kind();
  const device = deviceOf(member);
  writeFileSync(join(group, file), file === FIRST.file ? `${device} 0` : `${device} wiops=max`);
  for (const pid of pidsIn(group)) move(pid, root);
  rmdirSync(group);
}

function kind() {
  if (existsSync(FIRST.root)) return FIRST;
  try {
    writeFileSync(join(SECOND.root, "cgroup.subtree_control"), "+io");
    return SECOND;
  } catch (error) {
    const why = "there are no control groups for block devices here";
    throw new AppError("NOT_POSSIBLE", "slow down a disk", why, error);
  }
}

const groupOf = (lab: LabRecord, { name }: LabMember): string =>
  join(kind().root, `${linkPrefix(lab.name)}-${name}`);

/** Until no process of the node is outside: what was forked meanwhile is moved in the next turn. */
function moveAll(lab: LabRecord, { name }: LabMember, group: string): void {
  for (let turn = 0; turn < 10; turn++) {
    const inside = new Set(pidsIn(group));
    const outside = belongingsOf(lab, name).filter(({ process }) => !inside.has(process.pid));
    if (outside.length === 0) return;
    for (const { process } of outside) move(process.pid, group);
  }
}

const pidsIn = (group: string): readonly number[] =>
  readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);

function move(pid: number, group: string): void {
  try {
    writeFileSync(join(group, "cgroup.procs"), String(pid));
  } catch {
    // It has ended meanwhile.
  }
}

/** How long a few writes take that each wait for the disk, from inside the group. */
function probe(member: LabMember, group: string): number {
  const since = performance.now();
  const script = [
    `echo $$ > ${group}/cgroup.procs`,
    `dd if=/dev/zero of=${member.dir}/probe bs=4k count=${PROBES} oflag=dsync`,
    `rm ${member.dir}/probe`,
  ].join(" && ");
  execFileSync("/bin/sh", ["-c", script], { stdio: "ignore" });
  return performance.now() - since;
}
