// Small file systems of their own for the nodes, so that a disk can be filled without harm to others.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../model/error.ts";
import { requireProgram } from "./programs.ts";
import type { LabMember } from "./record.ts";

/** Mounts a file system in memory on the node's folder. */
export function mountDisk(member: LabMember, megabytes: number): void {
  const options = ["-t", "tmpfs", "-o", `size=${megabytes}m`, "understudy-lab", member.dir];
  execFileSync(requireProgram("mount"), options, { stdio: "ignore" });
}

/** Unmounts it, if it is mounted. */
export function unmountDisk(member: LabMember): void {
  const mounted = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[1] === member.dir);
  if (mounted) execFileSync(requireProgram("umount"), ["-l", member.dir], { stdio: "ignore" });
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

/** Gives the space back. */
export function freeDisk(member: LabMember): void {
  rmSync(ballast(member), { force: true });
}
