// A cluster as Patroni's own agents run it: the hosts, addresses and files of a lab, with Debian's patroni in each node.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { patchConfig } from "../model/wire/config.ts";
import type { JsonObject } from "../model/wire/json.ts";
import { freeBlock, freePorts } from "./addresses.ts";
import { startDaemon } from "./daemon.ts";
import { startEtcd, waitForEtcd } from "./etcd.ts";
import { waitForHealthy, waitForPrimary } from "./health.ts";
import { type LabOptions, layOut } from "./layout.ts";
import { hostAddress, loopbackSubnets } from "./network.ts";
import { copyBundles, makeOwned, prepareNode } from "./nodes.ts";
import { type Process, processes, processOf, signalProcess } from "./processes.ts";
import { postgresBinDir, requireProgram, serverAccount } from "./programs.ts";
import { type LabMember, type LabRecord, registeredLabs, registerLab } from "./record.ts";
import { waitFor } from "./wait-until.ts";

const LIMIT_MS = 60_000;
/** Quick for a Patroni; its own lower limit of ttl is 20. */
export const QUICK_TIMINGS = { ttl: 20, loop_wait: 1, retry_timeout: 5 };
/** As its documentation and nearly every file of its users have them. */
export const USUAL_TIMINGS = { ttl: 30, loop_wait: 10, retry_timeout: 10 };

/** Makes the folders and files of three nodes, and the store. No agent runs yet. */
export async function layOutPatroni(
  options: LabOptions,
  timings: typeof QUICK_TIMINGS = QUICK_TIMINGS,
): Promise<LabRecord> {
  const taken = new Set(
    registeredLabs().flatMap(({ members }) => members.map((m) => m.address.replace(/\.\d+$/, ""))),
  );
  const subnets = loopbackSubnets(freeBlock(options.name, taken));
  const hosts = Array.from({ length: options.nodes }, (_, i) =>
    hostAddress(subnets.cluster, i + 1),
  );
  const ports = await freePorts(hosts);
  const lab = { ...layOut(options, { subnets, ports }), osUser: serverAccount()?.name };
  mkdirSync(lab.dir, { recursive: true, mode: 0o755 });
  registerLab(lab);
  copyBundles(lab);
  for (const member of lab.etcd) {
    makeOwned(member.dir);
    await startEtcd(lab, member);
  }
  for (const member of lab.members) {
    makeOwned(member.dir);
    prepareNode(lab, member, options);
    writePatroniFile(member, timings);
  }
  await waitForEtcd(lab.etcd, LIMIT_MS);
  return lab;
}

export const patroniFile = (member: LabMember): string => join(member.dir, "patroni.yml");
const patroniLog = (member: LabMember): string => join(member.dir, "patroni.log");

/** The file of a node, with what Patroni wants to be told and we find out. */
function writePatroniFile(member: LabMember, timings: typeof QUICK_TIMINGS): void {
  const ours = parse(readFileSync(member.configFile, "utf8")) as JsonObject;
  const file = patchConfig(ours, {
    log: null,
    bootstrap: { dcs: { ...timings, maximum_lag_on_failover: 1_048_576 } },
    postgresql: {
      bin_dir: postgresBinDir(),
      pgpass: join(member.dir, "pgpass"),
      parameters: { unix_socket_directories: member.socketDir },
    },
  });
  writeFileSync(patroniFile(member), stringify(file));
  // Ours reads the very same file: that is the point.
  copyFileSync(patroniFile(member), member.configFile);
}

export async function startPatroni(member: LabMember): Promise<void> {
  await startDaemon({
    program: requireProgram("patroni"),
    args: [patroniFile(member)],
    cwd: member.dir,
    log: patroniLog(member),
    account: serverAccount(),
  });
}

/** The node's Patroni, if it runs. */
export const patroniOf = (member: LabMember): Process | undefined =>
  processes().find(({ args }) => args.includes(patroniFile(member)));

/** As an init system would: SIGTERM, and waits for its end; PostgreSQL is stopped by it. */
export async function stopPatroni(member: LabMember): Promise<void> {
  const running = patroniOf(member);
  if (running === undefined) return;
  signalProcess(running, "SIGTERM");
  await waitFor(`patroni of ${member.name} to end`, () => processOf(running.pid) === undefined, {
    limitMs: LIMIT_MS,
    why: () => `read ${patroniLog(member)}`,
  });
}

/** The first makes the cluster, then the others copy it. */
export async function bringUpPatroni(lab: LabRecord): Promise<void> {
  const [first, ...others] = lab.members;
  if (first !== undefined) await startPatroni(first);
  await waitForPrimary(lab, LIMIT_MS);
  for (const member of others) await startPatroni(member);
  await waitForHealthy(lab, LIMIT_MS);
}
