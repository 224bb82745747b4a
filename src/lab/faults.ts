// What can go wrong in a lab, and how is it made to go wrong?
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { belongingsOf, type LabRole } from "./belongings.ts";
import { breakDisk, fillDisk, freeDisk, isBroken, mendDisk, needOwnDevice } from "./disks.ts";
import { startEtcd } from "./etcd.ts";
import {
  cut,
  delay,
  heal,
  losePackets,
  pullPlugs,
  putPlugsBack,
  slowLinks,
} from "./network-faults.ts";
import { startAgent } from "./nodes.ts";
import { type Order, USUAL_FAULT } from "./order.ts";
import { killAll, signalProcess } from "./processes.ts";
import { type LabEtcd, type LabMember, requireMember } from "./record.ts";
import { freeDiskSpeed, slowDisk } from "./slow-disks.ts";
import { freeReplay, slowReplay } from "./slow-replay.ts";
import { starveMemory } from "./starve-memory.ts";
import { requestSwitchover } from "./switchover.ts";

export interface Fault {
  readonly summary: string;
  /** Whom it hits when nobody is named: the primary, every etcd member, the best standby, nodes without an agent. */
  readonly on: "member" | "etcd" | "candidate" | "silent";
  /** Its effect, if any, has begun by then: so long a report watches, in multiples of the ttl. */
  readonly watchTtls: number;
  readonly make: (order: Order) => Promise<void> | void;
  /** The fault that takes this one back. */
  readonly undo?: string;
}

const KILL_LIMIT_MS: Ms = 10_000;
const SERVER: readonly LabRole[] = ["postmaster", "backend"];
/** The agent dies first, so that nothing is decided while the rest goes. */
const NODE: readonly LabRole[] = ["agent", ...SERVER, "tool", "fence"];

const kill = (roles: readonly LabRole[]) => (order: Order) => sendAll(order, roles, "SIGKILL");
const stop = (roles: readonly LabRole[]) => (order: Order) => sendAll(order, roles, "SIGSTOP");

/** Every fault by its name on the command line. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  "kill-postmaster": {
    summary: "SIGKILL to PostgreSQL's first process; its backends are orphans",
    on: "member",
    watchTtls: 0.3,
    make: kill(["postmaster"]),
  },
  "kill-backend": {
    summary: "SIGKILL to one backend: the server ends all the others and recovers",
    on: "member",
    watchTtls: 0.3,
    make: killBackend,
  },
  "kill-node": {
    summary: "the host dies: agent, fence, postmaster and every backend at once",
    on: "member",
    watchTtls: 0.3,
    make: killNode,
    undo: "start-node",
  },
  "kill-agent": {
    summary: "SIGKILL to the agent, which nobody starts again",
    on: "member",
    watchTtls: 1.2,
    make: kill(["agent"]),
    undo: "start-node",
  },
  "kill-fence": {
    summary: "SIGKILL to the fence; its server goes with it",
    on: "member",
    watchTtls: 0.3,
    make: kill(["fence"]),
  },
  "kill-agent-and-fence": {
    summary: "SIGKILL to both, which nobody starts again",
    on: "member",
    watchTtls: 0.3,
    make: kill(["agent", "fence"]),
    undo: "start-node",
  },
  "stop-agent": {
    summary: "SIGSTOP to the agent: it stands still and believes what it believed",
    on: "member",
    watchTtls: 1.2,
    make: stop(["agent"]),
    undo: "cont",
  },
  "starve-postmaster": {
    summary: "the kernel kills PostgreSQL's first process for want of memory (root)",
    on: "member",
    watchTtls: 0.3,
    make: ({ lab, node }) => starveMemory(lab, node),
  },
  "stop-postmaster": {
    summary: "SIGSTOP to PostgreSQL's first process: new connections are never answered",
    on: "member",
    watchTtls: 1.2,
    make: stop(["postmaster"]),
    undo: "cont",
  },
  "stop-fence": {
    summary: "SIGSTOP to the fence",
    on: "member",
    watchTtls: 1.2,
    make: stop(["fence"]),
    undo: "cont",
  },
  cont: {
    summary: "SIGCONT to everything of the node that stands still",
    on: "member",
    watchTtls: 0.3,
    make: (order) => sendAll(order, ["agent", "fence", ...SERVER, "etcd"], "SIGCONT"),
  },
  "restart-agent": {
    summary: "SIGKILL to the agent, which is started again after --after seconds",
    on: "member",
    watchTtls: 1.2,
    make: restartAgent,
  },
  "start-node": {
    summary: "starts the agent of the node named, or of every node that has none",
    on: "silent",
    watchTtls: 0.3,
    make: startNode,
  },
  "kill-etcd": {
    summary: "SIGKILL to an etcd member; to all of them when none is named",
    on: "etcd",
    watchTtls: 1.2,
    make: kill(["etcd"]),
    undo: "restart-etcd",
  },
  "stop-etcd": {
    summary: "SIGSTOP to an etcd member; to all of them when none is named",
    on: "etcd",
    watchTtls: 1.2,
    make: stop(["etcd"]),
    undo: "restart-etcd",
  },
  "restart-etcd": {
    summary: "starts the etcd members that are dead, and wakes those that stand still",
    on: "etcd",
    watchTtls: 0.3,
    make: restartEtcd,
  },
  switchover: {
    summary: "the primary hands over to the node named, or to the best standby",
    on: "candidate",
    watchTtls: 0.3,
    make: ({ lab, node }) => requestSwitchover(lab, node === "" ? undefined : node),
  },
  cut: {
    summary:
      "cuts the node: --from store,peers,clients or --to a node (--way, --closed), or --link",
    on: "member",
    watchTtls: 1.2,
    make: cut,
    undo: "heal",
  },
  "lose-packets": {
    summary: "a --share of the packets between the node and the others vanishes",
    on: "member",
    watchTtls: 1.2,
    make: losePackets,
    undo: "heal",
  },
  "slow-link": {
    summary: "the node's links carry --kbit kilobits a second: --link cluster, client or both",
    on: "member",
    watchTtls: 1.2,
    make: slowLinks,
    undo: "heal",
  },
  delay: {
    summary:
      "everything between the node and the others takes --delay milliseconds longer, each way",
    on: "member",
    watchTtls: 1.2,
    make: delay,
    undo: "heal",
  },
  heal: {
    summary: "mends the node's network: what --from, --to or --link name, or all of it",
    on: "member",
    watchTtls: 0.3,
    make: heal,
  },
  "fill-disk": {
    summary: "takes all the space on the node's disk (needs lab up --disk)",
    on: "member",
    watchTtls: 0.5,
    make: ({ lab, node }) => fillDisk(requireMember(lab, node), lab.diskMegabytes),
    undo: "free-disk",
  },
  "free-disk": {
    summary: "gives the space back",
    on: "member",
    watchTtls: 0.3,
    make: ({ lab, node }) => freeDisk(requireMember(lab, node)),
  },
  "break-disk": {
    summary: "every access to the node's disk is an input/output error (--disk, --disk-kind file)",
    on: "member",
    watchTtls: 1.2,
    make: ({ lab, node }) => breakDisk(requireMember(lab, node)),
    undo: "mend-disk",
  },
  "mend-disk": {
    summary: "ends what still runs on a broken disk, mounts it again and starts the agent",
    on: "member",
    watchTtls: 0.3,
    make: replaceDisk,
  },
  "slow-disk": {
    summary: "the node's disk takes --iops writes a second (needs lab up --disk, --disk-kind file)",
    on: "member",
    watchTtls: 1.2,
    make: ({ lab, node, options }) => slowDisk(lab, node, options.iops),
    undo: "fast-disk",
  },
  "fast-disk": {
    summary: "gives the disk its speed back",
    on: "member",
    watchTtls: 0.3,
    make: ({ lab, node }) => freeDiskSpeed(lab, node),
  },
  "slow-replay": {
    summary: "the process that replays WAL on the node gets --cpu hundredths of a processor",
    on: "member",
    watchTtls: 1.2,
    make: ({ lab, node, options }) => slowReplay(lab, node, options.cpuPercent),
    undo: "fast-replay",
  },
  "fast-replay": {
    summary: "gives replay its processor back",
    on: "member",
    watchTtls: 0.3,
    make: ({ lab, node }) => freeReplay(lab, node),
  },
};

/** Sends a signal to the processes of a node that have one of these roles. */
function sendAll({ lab, node }: Order, roles: readonly LabRole[], signal: NodeJS.Signals): void {
  const all = belongingsOf(lab, node);
  const targets = roles.flatMap((role) => all.filter((found) => found.role === role));
  if (targets.length === 0) {
    const why = `it has no running ${roles.join(" or ")}`;
    throw new AppError("NOT_POSSIBLE", `send ${signal} on ${node}`, why);
  }
  for (const target of targets) signalProcess(target.process, signal);
}

/** The newest one: the postmaster's own helpers are the oldest. */
function killBackend({ lab, node }: Order): void {
  const backends = belongingsOf(lab, node).filter(({ role }) => role === "backend");
  const newest = backends.map(({ process }) => process).toSorted((a, b) => b.pid - a.pid)[0];
  if (newest === undefined)
    throw new AppError("NOT_POSSIBLE", `kill a backend of ${node}`, "it has none");
  signalProcess(newest, "SIGKILL");
}

/** One list, one go; then whatever was forked meanwhile, until nothing of the node lives. */
async function killNode(order: Order): Promise<void> {
  const { lab, node, options } = order;
  if (options.silent) await pullPlugs({ ...order, options: USUAL_FAULT });
  const etcd = lab.etcd.find((member) => member.host === node);
  if ((options.withEtcd || options.silent) && etcd !== undefined)
    sendAll({ ...order, node: etcd.name }, ["etcd"], "SIGKILL");
  sendAll(order, NODE, "SIGKILL");
  await endAll(order);
}

async function endAll({ lab, node }: Order): Promise<void> {
  const left = await killAll(() => belongingsOf(lab, node).map((b) => b.process), KILL_LIMIT_MS);
  if (left.length > 0) throw new AppError("TIMEOUT", `end every process of ${node}`);
}

/** A broken disk is one that nobody can go on with: the host is started anew on what the disk has kept. */
async function replaceDisk(order: Order): Promise<void> {
  const { lab, node } = order;
  const member = requireMember(lab, node);
  needOwnDevice(member, `mend the disk of ${node}`);
  if (!isBroken(member)) return;
  await endAll(order);
  mendDisk(lab, member);
  await startNode(order);
}

async function restartAgent(order: Order): Promise<void> {
  sendAll(order, ["agent"], "SIGKILL");
  await sleep(order.options.awayMs);
  await startNode(order);
}

async function startNode(order: Order): Promise<void> {
  const { lab, node, options } = order;
  if (options.silent) await putPlugsBack({ ...order, options: USUAL_FAULT });
  const member: LabMember = requireMember(lab, node);
  if (belongingsOf(lab, node).some(({ role }) => role === "agent")) {
    throw new AppError("NOT_POSSIBLE", `start the agent of ${node}`, "it runs already");
  }
  await startAgent(lab, member);
}

async function restartEtcd({ lab, node }: Order): Promise<void> {
  const member: LabEtcd | undefined = lab.etcd.find(({ name }) => name === node);
  if (member === undefined) return;
  const running = belongingsOf(lab, node);
  for (const { process } of running) signalProcess(process, "SIGCONT");
  if (running.length === 0) await startEtcd(lab, member);
}
