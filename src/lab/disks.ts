// File systems of their own for the nodes, so that a disk can be full or slow without harm to others.
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AppError } from "../model/error.ts";
import { requireProgram } from "./programs.ts";
import type { LabMember, LabRecord } from "./record.ts";

/** In memory, where nothing is ever slow; or in a file, as a block device that can be throttled. */
export const DISK_KINDS = ["memory", "file"] as const satisfies readonly LabRecord["diskKind"][];

/** Mounts a small file system on the node's folder. */
export function mountDisk(
  { dir: labDir, diskKind }: LabRecord,
  member: LabMember,
  megabytes: number,
) {
  if (diskKind === "memory") {
    run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "understudy-lab", member.dir);
    return;
  }
  const image = imageOf(labDir, member);
  mkdirSync(join(labDir, "disks"), { recursive: true });
  writeFileSync(image, "");
  truncateSync(image, megabytes * 1024 * 1024);
  // Nothing is kept back for root: a full disk is full for everybody.
  run("mkfs.ext4", "-q", "-m", "0", image);
  run("mount", "-o", "loop", image, member.dir);
}

const imageOf = (labDir: string, { name }: LabMember): string =>
  join(labDir, "disks", `${name}.img`);

/** Unmounts it, if it is mounted; its block device goes with it. */
export function unmountDisk(member: LabMember): void {
  if (mountOf(member) !== undefined) run("umount", "-l", member.dir);
}

/** The file system that is mounted on the node's folder, and on nothing else. */
const mountOf = ({
  dir,
}: LabMember): { readonly device: string; readonly type: string } | undefined =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, place]) => place === dir)
    .map(([device = "", , type = ""]) => ({ device, type }))[0];

/** A disk of the lab's own that the kernel treats as a device. */
const isOwnDevice = (member: LabMember): boolean => {
  const mount = mountOf(member);
  return mount?.type === "ext4" && mount.device.startsWith("/dev/loop");
};

/** Throws NOT_POSSIBLE where the node shares this machine's disk, or has one in memory. */
export function needOwnDevice(member: LabMember, attempt: string): void {
  if (isOwnDevice(member)) return;
  const why = "it has none of its own; start a lab with --disk 1024 --disk-kind file";
  throw new AppError("NOT_POSSIBLE", attempt, why);
}

/** The block device below the node's folder, as the kernel numbers it: `7:0`. */
export function deviceOf({ dir }: LabMember): string {
  const { dev } = statSync(dir);
  return `${Math.floor(dev / 256)}:${dev % 256}`;
}

const ballast = (member: LabMember): string => join(member.dir, "ballast");

/** Takes all the space that is left. */
export function fillDisk(member: LabMember, megabytes: number | undefined): void {
  if (megabytes === undefined) {
    const why = "the nodes share this machine's disk; start the lab with --disk 512";
    throw new AppError("NOT_POSSIBLE", `fill the disk of ${member.name}`, why);
  }
  const { bavail, bsize } = statfsSync(member.dir);
  writeFileSync(ballast(member), "");
  truncateSync(ballast(member), 0);
  const block = Buffer.alloc(bsize);
  try {
    for (let written = 0; written <= bavail; written++) {
      writeFileSync(ballast(member), block, { flag: "a" });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

/** EXT4_IOC_SHUTDOWN, without flushing anything: what ext4 does by itself when its device no longer answers. */
const SHUT_DOWN = `open(my $d, "<", $ARGV[0]) or die "$!\n"; my $how = pack("L", 2);
  ioctl($d, 0x8004587D, $how) or die "$!\n"`;

/** From now on the kernel answers everything on this disk with EIO, fsync included. */
export function breakDisk(member: LabMember): void {
  const attempt = `break the disk of ${member.name}`;
  // Another file system than the lab's own must never be shut down.
  needOwnDevice(member, attempt);
  // Servers and agents sync what they rely on; the file that was written for the agent nobody has.
  run("sync", member.configFile);
  // Node.js has no ioctl, and every machine with Debian's PostgreSQL has Perl.
  run("perl", "-e", SHUT_DOWN, member.dir);
  if (!isBroken(member)) throw new AppError("NOT_POSSIBLE", attempt, "it still takes files");
}

/** Does the kernel answer a new file with an input/output error? */
export function isBroken(member: LabMember): boolean {
  if (!isOwnDevice(member)) return false;
  const probe = join(member.dir, "probe");
  try {
    writeFileSync(probe, "");
    rmSync(probe);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EIO";
  }
}

/** Mounts it again, which replays its journal. Nobody may have a file of it open. */
export function mendDisk({ dir: labDir }: LabRecord, member: LabMember): void {
  run("umount", member.dir);
  run("mount", "-o", "loop", imageOf(labDir, member), member.dir);
}

/** Gives the space back. */
export function freeDisk(member: LabMember): void {
  rmSync(ballast(member), { force: true });
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(requireProgram(program), [...args], { stdio: "ignore" });
}
