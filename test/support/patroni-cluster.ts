// A cluster as Patroni's own agents run it: the hosts, addresses and files of a lab, with Debian's patroni in each node.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { freeBlock, freePorts } from "../../src/lab/addresses.ts";
import { startDaemon } from "../../src/lab/daemon.ts";
import { startEtcd, waitForEtcd } from "../../src/lab/etcd.ts";
import { waitForHealthy, waitForPrimary } from "../../src/lab/health.ts";
import { type LabOptions, layOut } from "../../src/lab/layout.ts";
import { hostAddress, loopbackSubnets } from "../../src/lab/network.ts";
import { copyBundles, makeOwned, prepareNode } from "../../src/lab/nodes.ts";
import { type Process, processes, processOf, signalProcess } from "../../src/lab/processes.ts";
import { postgresBinDir, requireProgram, serverAccount } from "../../src/lab/programs.ts";
import {
  type LabMember,
  type LabRecord,
  registeredLabs,
  registerLab,
} from "../../src/lab/record.ts";
import { patchConfig } from "../../src/model/wire/config.ts";
import type { JsonObject } from "../../src/model/wire/json.ts";
import { until } from "./agent.ts";

const LIMIT_MS = 60_000;
/** Quick for a Patroni; its own lower limit of ttl is 20. */
const DYNAMIC = { ttl: 20, loop_wait: 1, retry_timeout: 5, maximum_lag_on_failover: 1_048_576 };

/** Makes the folders and files of three nodes, and the store. No agent runs yet. */
export async function layOutPatroni(options: LabOptions): Promise<LabRecord> {
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
    writePatroniFile(member);
  }
  await waitForEtcd(lab.etcd, LIMIT_MS);
  return lab;
}

export const patroniFile = (member: LabMember): string => join(member.dir, "patroni.yml");

/** The file of a node, with what Patroni wants to be told and we find out. */
function writePatroniFile(member: LabMember): void {
  const ours = parse(readFileSync(member.configFile, "utf8")) as JsonObject;
  const file = patchConfig(ours, {
    log: null,
    bootstrap: { dcs: DYNAMIC },
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
    log: join(member.dir, "patroni.log"),
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
  await until(`patroni of ${member.name} has ended`, () => processOf(running.pid) === undefined);
}

/** Whatever state it is in. Its PostgreSQL is the lab's, which ends it. */
export async function killPatroni(lab: LabRecord): Promise<void> {
  for (const member of lab.members) {
    const running = patroniOf(member);
    if (running === undefined) continue;
    signalProcess(running, "SIGKILL");
    await until(`patroni of ${member.name} is gone`, () => processOf(running.pid) === undefined);
  }
}

/** The first makes the cluster, then the others copy it. */
export async function bringUpPatroni(lab: LabRecord): Promise<void> {
  const [first, ...others] = lab.members;
  if (first !== undefined) await startPatroni(first);
  await waitForPrimary(lab, LIMIT_MS);
  for (const member of others) await startPatroni(member);
  await waitForHealthy(lab, LIMIT_MS);
}
