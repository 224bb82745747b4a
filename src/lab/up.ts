// How does a lab come up? Planned and registered first, then made, then waited for.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { AppError, asAppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { freeBlock, freePorts, usualPorts } from "./addresses.ts";
import { makeDatabase } from "./databases.ts";
import { mountDisk } from "./disks.ts";
import { takeDown } from "./down.ts";
import { startEtcd, waitForEtcd } from "./etcd.ts";
import { waitForAgreement, waitForHealthy, waitForPrimary, waitForStandbys } from "./health.ts";
import { APP_DATABASE, FIRST_ROUTER, type LabOptions, layOut } from "./layout.ts";
import { makeNetwork } from "./namespaces.ts";
import {
  freeThird,
  hostAddress,
  loopbackSubnets,
  namespaceSubnets,
  type Subnets,
} from "./network.ts";
import {
  copyBundles,
  makeOwned,
  prepareNode,
  prepareRepositories,
  prepareRouter,
  startAgent,
} from "./nodes.ts";
import {
  closedFolder,
  postgresBinDir,
  requireBundles,
  requireProgram,
  serverAccount,
} from "./programs.ts";
import { findLab, type LabRecord, registeredLabs, registerLab, updateLab } from "./record.ts";
import { bringUpRouters } from "./routers.ts";

const ETCD_LIMIT_MS: Ms = 20_000;
const AGREEMENT_LIMIT_MS: Ms = 10_000;

/** Told as each step ends, with how long it took. */
export type Progress = (step: string, tookMs: Ms) => void;

/** Makes a lab and waits until it is healthy; a failure removes what was made, but not the logs. `checkOptions` first. */
export async function bringUp(options: LabOptions, progress: Progress): Promise<LabRecord> {
  checkPrograms(options);
  await clearDirectory(options.dir);
  const planning = await plan(options);
  const planned = planning.lab;
  mkdirSync(planned.dir, { recursive: true, mode: 0o755 });
  registerLab(planned);
  try {
    await makeAll(planning, options, stopwatch(progress));
    const ready = { ...planned, readyAt: new Date().toISOString() };
    updateLab(ready);
    return ready;
  } catch (error) {
    // The directory stays for the logs in it; everything that runs or holds an address goes.
    await takeDown(planned, { keepDirectory: true });
    throw asAppError(error, "LAB_FAILED", `start the lab ${options.name}`);
  }
}

interface Plan {
  readonly lab: LabRecord;
  readonly subnets: Subnets;
}

async function plan(options: LabOptions): Promise<Plan> {
  const taken = new Set(
    registeredLabs().flatMap(({ members }) => members.map((m) => m.address.replace(/\.\d+$/, ""))),
  );
  const inNamespaces = options.net === "namespaces";
  const subnets = inNamespaces
    ? namespaceSubnets(options.name, freeThird(options.name, taken))
    : loopbackSubnets(freeBlock(options.name, taken));
  const ports = inNamespaces ? usualPorts() : await freePorts(addressesOf(options, subnets));
  return {
    lab: {
      ...layOut(options, { subnets, ports }),
      osUser: serverAccount()?.name,
      schedules: options.schedules,
    },
    subnets,
  };
}

const addressesOf = (options: LabOptions, subnets: Subnets): readonly string[] =>
  hostsOf(options).map((host) => hostAddress(subnets.cluster, host));

/** Numbers of all hosts: the nodes', those of etcd members that have their own, and the routers'. */
export function hostsOf({ nodes, etcd, etcdApart, routers }: LabOptions): readonly number[] {
  const range = (length: number): number[] => Array.from({ length }, (_, i) => i + 1);
  const apart = range(etcd).filter((number) => etcdApart || number > nodes);
  return [
    ...range(nodes),
    ...apart.map((number) => 100 + number),
    ...range(routers).map((number) => FIRST_ROUTER - 1 + number),
  ];
}

async function makeAll({ lab, subnets }: Plan, options: LabOptions, done: Done): Promise<void> {
  const limitMs = options.waitSeconds * 1000;
  if (lab.net === "namespaces") {
    await makeNetwork(lab.name, subnets, hostsOf(options));
    done(`${hostsOf(options).length} hosts, each with two links`);
  }
  for (const member of lab.etcd) {
    makeOwned(member.dir);
    await startEtcd(lab, member);
  }
  copyBundles(lab);
  if (options.backup) prepareRepositories(lab);
  for (const member of lab.members) {
    makeOwned(member.dir);
    if (lab.diskMegabytes !== undefined) mountDisk(lab, member, lab.diskMegabytes);
    prepareNode(lab, member, options);
  }
  for (const router of lab.routers) prepareRouter(lab, router, options);
  await waitForEtcd(lab.etcd, ETCD_LIMIT_MS);
  done(`etcd answers (${lab.etcd.length} of ${lab.etcd.length} members)`);
  // The first node makes the cluster, so that everybody's n1 begins as the primary.
  const [first, ...others] = lab.members;
  if (first !== undefined) await startAgent(lab, first);
  if (options.follows !== undefined) {
    await followOther(lab, options.follows.name, { limitMs, done });
    return;
  }
  const primary = await waitForPrimary(lab, limitMs);
  done(`${primary.member.name} is the primary and takes writes`);
  // The routers' database is copied with the rest: made later, it would leave the standbys behind for a moment.
  if (lab.routers.length > 0) await makeDatabase(lab, APP_DATABASE);
  for (const member of others) await startAgent(lab, member);
  await waitForHealthy(lab, limitMs);
  const standbys = lab.members.filter((m) => m.name !== primary.member.name).map((m) => m.name);
  const verb = standbys.length === 1 ? "streams" : "stream";
  if (standbys.length > 0) done(`${standbys.join(" and ")} ${verb} from it`);
  if (lab.routers.length > 0) {
    await bringUpRouters(lab, limitMs);
    done(`${lab.routers.map(({ name }) => name).join(" and ")} lets clients in`);
  }
  // A lab with warnings of its own (a pause, a setting that is not acted on) is up all the same.
  await waitForAgreement(lab, AGREEMENT_LIMIT_MS).catch(() => undefined);
}

/** The first node copies the other lab's primary and receives from it, the others receive from the first. */
async function followOther(
  lab: LabRecord,
  other: string,
  { limitMs, done }: { readonly limitMs: Ms; readonly done: Done },
): Promise<void> {
  const [first, ...others] = lab.members;
  await waitForStandbys(lab, 1, limitMs);
  done(`${first?.name ?? "?"} receives from the lab ${other}`);
  for (const member of others) await startAgent(lab, member);
  await waitForStandbys(lab, lab.members.length, limitMs);
  await waitForAgreement(lab, AGREEMENT_LIMIT_MS).catch(() => undefined);
  if (others.length > 0) done(`${others.map(({ name }) => name).join(" and ")} below it`);
}

type Done = (step: string) => void;

function stopwatch(progress: Progress): Done {
  let since = performance.now();
  return (step) => {
    const now = performance.now();
    progress(step, now - since);
    since = now;
  };
}

function checkPrograms({ routers }: LabOptions): void {
  postgresBinDir();
  requireProgram("etcd");
  if (routers > 0) for (const program of ["pgbouncer", "haproxy"]) requireProgram(program);
  requireBundles();
  serverAccount();
}

/** What a failed start left in its directory is removed now; anything else is not ours to touch. */
async function clearDirectory(dir: string): Promise<void> {
  const account = serverAccount();
  const closed = account === undefined ? undefined : closedFolder(dir, account);
  if (closed !== undefined) {
    const why = `the user ${account?.name} runs the servers and may not enter ${closed}`;
    throw new AppError("LAB_FAILED", `use the directory ${dir}`, why);
  }
  if (!existsSync(dir) || readdirSync(dir).length === 0) return;
  const leftover = findLab({ dir });
  if (leftover === undefined) {
    throw new AppError("LAB_FAILED", `use the directory ${dir}`, "it is not empty; name another");
  }
  if (leftover.readyAt !== undefined) {
    const why = `the lab ${leftover.name} lives there; end it with: understudy lab down --dir ${dir}`;
    throw new AppError("LAB_FAILED", `use the directory ${dir}`, why);
  }
  await takeDown(leftover);
}
