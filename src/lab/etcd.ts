// The lab's consensus store: a small etcd that notices a dead leader within half a second.
import { request } from "node:http";
import type { Ms } from "../model/time.ts";
import { startDaemon } from "./daemon.ts";
import { requireProgram, serverAccount } from "./programs.ts";
import type { LabEtcd, LabRecord } from "./record.ts";
import { waitFor } from "./wait-until.ts";

const HEARTBEAT_MS = 100;
const ELECTION_MS = 500;

/** Starts one member; the first start of all members together makes the cluster. */
export async function startEtcd(lab: LabRecord, member: LabEtcd): Promise<number> {
  const peers = lab.etcd.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(",");
  return startDaemon({
    program: requireProgram("etcd"),
    args: [
      `--name=${member.name}`,
      `--data-dir=${member.dir}/data`,
      `--listen-client-urls=${member.clientUrl}`,
      `--advertise-client-urls=${member.clientUrl}`,
      `--listen-peer-urls=${member.peerUrl}`,
      `--initial-advertise-peer-urls=${member.peerUrl}`,
      `--initial-cluster=${peers}`,
      `--initial-cluster-token=${lab.scope}`,
      `--heartbeat-interval=${HEARTBEAT_MS}`,
      `--election-timeout=${ELECTION_MS}`,
      "--logger=zap",
      "--auto-compaction-mode=revision",
      "--auto-compaction-retention=1000",
    ],
    cwd: member.dir,
    log: member.log,
    account: serverAccount(),
    namespace: member.namespace,
  });
}

/** Waits until every member says that it can serve, which needs a leader. */
export async function waitForEtcd(members: readonly LabEtcd[], limitMs: Ms): Promise<void> {
  for (const member of members) {
    await waitFor(`etcd member ${member.name}`, () => etcdIsHealthy(member), {
      limitMs,
      why: () => `read ${member.log}`,
    });
  }
}

export async function etcdIsHealthy(member: LabEtcd): Promise<boolean> {
  const answer = await ask(member, "/health");
  return (answer as { health?: unknown } | undefined)?.health === "true";
}

/** The member that leads the store now, if any says so. */
export async function etcdLeader(lab: LabRecord): Promise<LabEtcd | undefined> {
  for (const member of lab.etcd) {
    const answer = await ask(member, "/v3/maintenance/status", "{}");
    const status = answer as Status | undefined;
    if (status?.leader !== undefined && status.leader === status.header?.member_id) return member;
  }
  return undefined;
}

/** Makes `wanted` the store's leader, for faults that shall hit it. */
export async function moveEtcdLeader(lab: LabRecord, wanted: LabEtcd): Promise<void> {
  const status = (await ask(wanted, "/v3/maintenance/status", "{}")) as Status | undefined;
  const targetID = status?.header?.member_id;
  await waitFor(
    `${wanted.name} to lead the store`,
    async () => {
      const leader = await etcdLeader(lab);
      if (leader?.name === wanted.name) return true;
      const body = JSON.stringify({ targetID });
      if (leader !== undefined) await ask(leader, "/v3/maintenance/transfer-leadership", body);
      return false;
    },
    { limitMs: 10_000 },
  );
}

interface Status {
  readonly leader?: string;
  readonly header?: { readonly member_id?: string };
}

/** One request, answered with JSON within a second, or undefined. */
const ask = (member: LabEtcd, path: string, body?: string): Promise<unknown> =>
  new Promise((resolve) => {
    const done = (value: unknown): void => resolve(value);
    const method = body === undefined ? "GET" : "POST";
    const call = request(member.clientUrl + path, { method, timeout: 1000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => done(parse(text))).on("error", () => done(undefined));
    });
    call.on("timeout", () => call.destroy()).on("error", () => done(undefined));
    call.end(body);
  });

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
