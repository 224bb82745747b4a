// How does a lab go, whatever state it is in, without touching anything else?
import { rmdirSync, rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { AppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { belongings, type LabRole } from "./belongings.ts";
import { unmountDisk } from "./disks.ts";
import { defaultDir } from "./layout.ts";
import { removeNetwork } from "./namespaces.ts";
import { killAll } from "./processes.ts";
import { serverAccount } from "./programs.ts";
import { type LabRecord, unregisterLab } from "./record.ts";
import { removeSegment, segmentOf } from "./shared-memory.ts";
import { freeDiskSpeed } from "./slow-disks.ts";
import { freeReplay } from "./slow-replay.ts";

const KILL_LIMIT_MS: Ms = 10_000;

/** Agents first, so that nothing is started again; a fence's end takes its server down; then the rest. */
const ORDER: readonly (readonly LabRole[])[] = [
  ["agent", "patroni"],
  ["fence"],
  ["postmaster", "backend", "tool", "relay", "releaser", "pgbouncer", "haproxy"],
  ["etcd"],
];

/** Removes everything that the lab made. Works on half a lab, and twice. */
export async function takeDown(
  lab: LabRecord,
  { keepDirectory = false }: { readonly keepDirectory?: boolean } = {},
): Promise<void> {
  for (const roles of ORDER) await endAll(lab, roles);
  await endAll(lab, ORDER.flat());
  removeSharedMemory(lab);
  if (lab.net === "namespaces") await removeNetwork(lab.name);
  for (const member of lab.members) {
    freeReplay(lab, member.name);
    if (lab.diskMegabytes !== undefined) freeDiskSpeed(lab, member.name);
    if (lab.diskMegabytes !== undefined && !keepDirectory) unmountDisk(member);
    if (!member.socketDir.startsWith(`${lab.dir}/`)) {
      rmSync(member.socketDir, { recursive: true, force: true });
    }
  }
  for (const { runDir } of lab.routers) {
    if (!runDir.startsWith(`${lab.dir}/`)) rmSync(runDir, { recursive: true, force: true });
  }
  if (!keepDirectory) removeDirectory(lab.dir);
  unregisterLab(lab.name);
}

async function endAll(lab: LabRecord, roles: readonly LabRole[]): Promise<void> {
  const find = () =>
    belongings(lab)
      .filter(({ role }) => roles.includes(role))
      .map((found) => found.process);
  const left = await killAll(find, KILL_LIMIT_MS);
  if (left.length === 0) return;
  const names = left.map(({ pid, name, state }) => `${name} (pid ${pid}, state ${state})`);
  throw new AppError("LAB_FAILED", `end the processes of the lab ${lab.name}`, names.join(", "));
}

function removeSharedMemory(lab: LabRecord): void {
  const owner = serverAccount()?.uid ?? process.getuid?.() ?? -1;
  for (const member of lab.members) {
    const segment = segmentOf(member);
    if (segment !== undefined) removeSegment(segment, owner);
  }
}

/** The folder of all labs goes with the last of them. */
function removeDirectory(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  if (dir !== defaultDir(basename(dir))) return;
  try {
    rmdirSync(dirname(dir));
  } catch {
    // Another lab lives there.
  }
}
