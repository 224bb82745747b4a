// Starting a node's agent: its folder, its file, its process.
import { chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import type { LabOptions } from "./layout.ts";
import { nodeFile, REPOSITORIES, repositoryDir, routerFile, usersText } from "./node-file.ts";
import { requireBundles, serverAccount } from "./programs.ts";
import type { LabMember, LabRecord, LabRouter } from "./record.ts";

/**
 * The lab runs copies of the bundles: a later build does not change a running lab, and the servers'
 * user needs nothing from a clone that it may not be able to enter.
 */
export function copyBundles(lab: LabRecord): void {
  const target = join(lab.dir, "bin");
  mkdirSync(target, { recursive: true, mode: 0o755 });
  const { folder, names } = requireBundles();
  for (const name of names) {
    copyFileSync(join(folder, name), join(target, name));
    chmodSync(join(target, name), 0o755);
  }
}

/** Makes a node's folders and writes its file. */
export function prepareNode(lab: LabRecord, member: LabMember, options: LabOptions): void {
  for (const dir of [member.dir, member.socketDir]) makeOwned(dir);
  writeFileSync(member.configFile, nodeFile(lab, member, options), { mode: 0o600 });
}

/** Makes the folders for backups, which all nodes share. */
export function prepareRepositories(lab: LabRecord): void {
  for (const name of ["", ...REPOSITORIES]) makeOwned(repositoryDir(lab, name));
}

/** Makes a router's folder and writes its file, and whom its pooler lets in. */
export function prepareRouter(lab: LabRecord, router: LabRouter, options: LabOptions): void {
  for (const dir of [router.dir, router.runDir]) makeOwned(dir);
  writeFileSync(router.configFile, routerFile(lab, router, options), { mode: 0o600 });
  writeFileSync(router.usersFile, usersText(lab), { mode: 0o600 });
}

/** Makes a folder that belongs to the user who runs the servers. */
export function makeOwned(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const account = serverAccount();
  if (account !== undefined) chownSync(dir, account.uid, account.gid);
}

/**
 * The agent waits nearly all the time: optimised code and threads for it are memory that is never paid back. A
 * service's unit gives the same options.
 */
export const AGENT_FLAGS = ["--max-semi-space-size=1", "--no-opt", "--single-threaded"] as const;

/** Starts the agent of a node or router; it finds out by itself what there is to do. */
export const startAgent = (lab: LabRecord, member: LabMember | LabRouter): Promise<number> =>
  startDaemon({
    program: process.execPath,
    args: [...AGENT_FLAGS, join(lab.dir, "bin", "agent.mjs"), "-c", member.configFile],
    cwd: lab.dir,
    log: member.log,
    namespace: member.namespace,
  });
