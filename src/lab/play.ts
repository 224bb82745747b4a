// How does the lab play a verb? Each with its undoing; a verb that is not here cannot be played.
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../model/error.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import type { Target, Verb, VerbName } from "../scenario/verbs.ts";
import { belongingsOf } from "./belongings.ts";
import { cancelWaits } from "./cancel-waits.ts";
import { etcdLeader } from "./etcd.ts";
import { FAULTS } from "./faults.ts";
import { healthOf } from "./health.ts";
import { pullPlugs, putPlugsBack } from "./network-faults.ts";
import { type FaultOptions, USUAL_FAULT } from "./order.ts";
import { type Process, signalProcess } from "./processes.ts";
import { type LabRecord, requireMember } from "./record.ts";

/** Takes a verb back; without one, the verb is over when it has been played. */
export type Undo = () => Promise<void>;

type Player = (lab: LabRecord, node: string, verb: Verb) => Promise<Undo | undefined>;

const OPERATOR_LIMIT_MS = 60_000;

const make = async (
  lab: LabRecord,
  fault: string,
  node: string,
  options: Partial<FaultOptions> = {},
): Promise<void> => {
  await FAULTS[fault]?.make({ lab, node, options: { ...USUAL_FAULT, ...options } });
};

/** Plays one of the lab's own faults, and another one to take it back. */
const fault =
  (name: string, undo?: string, options: Partial<FaultOptions> = {}): Player =>
  async (lab, node) => {
    await make(lab, name, node, options);
    return undo === undefined ? undefined : () => make(lab, undo, node, options);
  };

const onEveryEtcd =
  (name: string): Player =>
  async (lab) => {
    for (const etcd of lab.etcd) await make(lab, name, etcd.name);
    return async () => {
      for (const etcd of lab.etcd) await make(lab, "restart-etcd", etcd.name);
    };
  };

const onStoreLeader =
  (name: string): Player =>
  async (lab) => {
    const leader = await etcdLeader(lab);
    if (leader === undefined) return undefined;
    await make(lab, name, leader.name);
    return () => make(lab, "restart-etcd", leader.name);
  };

/** Everything of a host, or its server alone, stands still. */
const freeze =
  (chosen: (process: Process, role: string) => boolean): Player =>
  async (lab, node) => {
    const still = belongingsOf(lab, node).filter(({ process, role }) => chosen(process, role));
    for (const { process } of still) signalProcess(process, "SIGSTOP");
    return async () => {
      for (const { process } of still) signalProcess(process, "SIGCONT");
    };
  };

const isServer = (role: string): boolean => role === "postmaster" || role === "backend";

const PLAYERS: Partial<Record<VerbName, Player>> = {
  killPostmaster: fault("kill-postmaster"),
  crashBackend: fault("kill-backend"),
  killHost: fault("kill-node", "start-node"),
  killAgent: fault("kill-agent", "start-node"),
  killFence: fault("kill-fence"),
  stopAgent: fault("stop-agent", "cont"),
  stopFence: fault("stop-fence", "cont"),
  stallAgent: async (lab, node, verb) => {
    await make(lab, "stop-agent", node);
    if (verb.do === "stallAgent") await sleep(verb.stallMs);
    await make(lab, "cont", node);
    return undefined;
  },
  suspendHost: freeze(() => true),
  stopServer: freeze((_, role) => isServer(role)),
  hangServer: freeze((_, role) => role === "postmaster"),
  fillDisk: fault("fill-disk", "free-disk"),
  slowDisk: async (lab, node, verb) => {
    if (verb.do !== "slowDisk") return undefined;
    await make(lab, "slow-disk", node, { iops: Math.max(1, Math.round(1_000 / verb.slowMs)) });
    return () => make(lab, "fast-disk", node);
  },
  cancelWaits: async (lab, node, verb) => {
    if (verb.do !== "cancelWaits") return undefined;
    const stop = cancelWaits(lab, node, verb.everyMs);
    return async () => stop();
  },
  isolate: async (lab, node) => {
    const order = { lab, node, options: USUAL_FAULT };
    await pullPlugs(order);
    return () => putPlugsBack(order);
  },
  cutFromStore: fault("cut", "heal", { from: ["store"] }),
  cutFromPeers: fault("cut", "heal", { from: ["peers"] }),
  cutFromClients: fault("cut", "heal", { from: ["clients"] }),
  cutOneWay: async (lab, _, verb) => {
    if (verb.do !== "cutOneWay") return undefined;
    const [node, to] = [await nodeFor(lab, verb.from), await nodeFor(lab, verb.to)];
    if (node === undefined || to === undefined || node === to) return undefined;
    await make(lab, "cut", node, { to, way: "out" });
    return () => make(lab, "heal", node, { to });
  },
  partition: async (lab, _, verb) => (verb.do === "partition" ? part(lab, verb.nodes) : undefined),
  storeDown: onEveryEtcd("kill-etcd"),
  storeLeaderKill: onStoreLeader("kill-etcd"),
  storeLeaderPause: onStoreLeader("stop-etcd"),
  switchover: async (lab, _, verb) => {
    const candidate = verb.do === "switchover" ? verb.candidate : undefined;
    const name = candidate === undefined ? "" : ((await nodeFor(lab, candidate)) ?? "");
    await make(lab, "switchover", name);
    return undefined;
  },
  failover: async (lab, _, verb) => {
    const named = verb.do === "failover" ? await nodeFor(lab, verb.candidate) : undefined;
    if (named !== undefined) await ask(lab, named, "failover", { candidate: named });
    return undefined;
  },
  restart: async (lab, node) => {
    await ask(lab, node, "restart", {});
    return undefined;
  },
  reinit: async (lab, node) => {
    await ask(lab, node, "reinitialize", {});
    return undefined;
  },
  pause: async (lab, _, verb) => {
    const [first] = lab.members;
    const endsInMs = verb.do === "pause" ? verb.endsInMs : undefined;
    const until = endsInMs === undefined ? undefined : printRfc3339(Date.now() + endsInMs);
    const body = { pause: true, pause_note: { by: "lab", until } };
    await ask(lab, first?.name ?? "", "config", body, "PATCH");
    return () => ask(lab, first?.name ?? "", "config", { pause: false }, "PATCH");
  },
  resume: async (lab) => {
    await ask(lab, lab.members[0]?.name ?? "", "config", { pause: false }, "PATCH");
    return undefined;
  },
  confirmDown: async (lab, node) => {
    const other = lab.members.find(({ name }) => name !== node);
    await ask(lab, other?.name ?? "", "understudy/confirm-down", { member: node });
    return undefined;
  },
  stopCleanly: async (lab, node) => {
    for (const { process, role } of belongingsOf(lab, node)) {
      if (role === "agent") signalProcess(process, "SIGTERM");
    }
    return () => make(lab, "start-node", node);
  },
};

/** Each of the named loses each of the others, both ways; their parts of the store with them. */
async function part(lab: LabRecord, nodes: readonly Target[]): Promise<Undo> {
  const named = await Promise.all(nodes.map((node) => nodeFor(lab, node)));
  const others = lab.members.map(({ name }) => name).filter((name) => !named.includes(name));
  const pairs = named.flatMap((node) =>
    node === undefined ? [] : others.map((to) => ({ node, to })),
  );
  for (const { node, to } of pairs) await make(lab, "cut", node, { to });
  return async () => {
    for (const { node, to } of pairs) await make(lab, "heal", node, { to });
  };
}

/** Verbs that only network namespaces can play. */
export const NEEDS_NAMESPACES: ReadonlySet<VerbName> = new Set([
  "isolate",
  "cutFromStore",
  "cutFromPeers",
  "cutFromClients",
  "cutOneWay",
  "partition",
]);

/** Verbs that need a disk of the node's own. */
export const NEEDS_DISK: ReadonlySet<VerbName> = new Set(["fillDisk", "slowDisk"]);

export const canPlayVerb = (name: VerbName): boolean => PLAYERS[name] !== undefined;

/** Plays a verb on the node that has the part now; nobody having it, nothing happens. */
export async function playVerb(lab: LabRecord, verb: Verb): Promise<Undo | undefined> {
  const player = PLAYERS[verb.do];
  if (player === undefined) {
    throw new AppError("NOT_POSSIBLE", `play ${verb.do} in the lab`, "no such thing is built in");
  }
  const node = "node" in verb ? await nodeFor(lab, verb.node) : "";
  return node === undefined ? undefined : player(lab, node, verb);
}

/** `primary`, `standby` (the first), `other` (the last standby), or a name. */
export async function nodeFor(lab: LabRecord, target: Target): Promise<string | undefined> {
  if (lab.members.some(({ name }) => name === target)) return target;
  const health = await healthOf(lab);
  const having = (role: string): string[] =>
    health.filter((h) => h.role === role).map(({ member }) => member.name);
  if (target === "primary") return having("primary")[0];
  return target === "standby" ? having("standby")[0] : having("standby").at(-1);
}

async function ask(
  lab: LabRecord,
  node: string,
  path: string,
  ...[body, method = "POST"]: [object, ("POST" | "PATCH")?]
): Promise<void> {
  const response = await fetch(`${requireMember(lab, node).apiUrl}/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(OPERATOR_LIMIT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new AppError("NOT_POSSIBLE", `ask ${node} for ${path}`, text);
}
