// How does each verb act on the simulated world, and how is it undone?
import type { Fault, Verb, VerbName } from "../scenario/verbs.ts";
import { kindOf, printFault } from "../scenario/verbs.ts";
import { crashBackend, setFailing } from "./backends.ts";
import type { SimCluster } from "./cluster.ts";
import { hostFor, nothing, type Undo } from "./fault-target.ts";
import { playOnNetworkOrStore } from "./faults-around.ts";
import { playOperator } from "./faults-operator.ts";
import { playOnSite } from "./faults-site.ts";
import type { SimHost } from "./host.ts";
import { cancelWaits } from "./sync-rep.ts";
import type { Workload } from "./workload.ts";

export interface FaultWorld {
  readonly cluster: SimCluster;
  readonly workload: Workload;
}

/** What a checker may no longer blame the code for while the verb lasts. */
const DISTURBS: Partial<Record<VerbName, "agent" | "server" | "store">> = {
  killPostmaster: "server",
  crashBackend: "server",
  failSessions: "server",
  killHost: "agent",
  killAgent: "agent",
  crashLoopAgent: "agent",
  stopAgent: "agent",
  stallAgent: "agent",
  killFence: "agent",
  stopFence: "agent",
  hangServer: "server",
  stopServer: "server",
  longBackends: "server",
  startByStranger: "server",
  cutFromStore: "agent",
  cutFromPeers: "server",
  isolate: "agent",
  cutOneWay: "store",
  partition: "store",
  storeDown: "store",
  storeLeaderKill: "store",
  storeLeaderPause: "store",
  storeNoSpace: "store",
  otherStore: "store",
  olderStore: "store",
  eraseInitialize: "store",
  revokeLease: "store",
  loseAnswers: "agent",
  applyLate: "agent",
  slowStore: "agent",
  suspendHost: "agent",
  stepWall: "server",
  fillDisk: "agent",
  tightenDisk: "server",
  breakWatchdog: "agent",
  foreignData: "agent",
  slowDisk: "agent",
  pause: "store", // a crash during a pause waits for a person, and so does what it knew
  detach: "agent",
  stopCleanly: "agent",
};

/** Plays one fault now; answers how to undo it. Undoing twice does nothing. */
export function playFault(world: FaultWorld, fault: Fault): Undo {
  const { cluster } = world;
  const { verb } = fault;
  const host = "node" in verb ? hostFor(cluster, verb.node) : undefined;
  cluster.truth.tell({
    kind: "fault",
    text: `${printFault(fault)}${host === undefined ? "" : ` → ${host.name}`}`,
  });
  if ("node" in verb && host === undefined) return nothing;
  if (host !== undefined && leavesNobody(verb, host) && !needsNoFence(cluster)) return nothing;
  const part = DISTURBS[verb.do];
  const change = (by: 1 | -1): void => {
    if (part === "store") cluster.store.disturb(by);
    else if (part !== undefined) host?.disturb(part, by);
  };
  change(1);
  const undo = begin(world, verb, host);
  let isUndone = false;
  return () => {
    if (isUndone) return;
    isUndone = true;
    undo();
    change(-1);
    cluster.truth.tell({
      kind: "fault",
      text: `end of ${verb.do}${host === undefined ? "" : ` on ${host.name}`}`,
    });
  };
}

const TAKES_AGENT: readonly VerbName[] = [
  "killAgent",
  "crashLoopAgent",
  "stopAgent",
  "stallAgent",
  "detach",
  "stopCleanly",
];

/**
 * A synchronous cluster promises no loss even where nobody is left to end the primary (R22); and among strangers nobody
 * counts on a fence (R35).
 */
const needsNoFence = ({ options }: SimCluster): boolean =>
  options.config["synchronous_mode"] !== undefined || options.strangers === true;

/** Agent away and fence stopped at one time: without the votes of a synchronous mode nothing helps then (L2). */
function leavesNobody(verb: Verb, { agent, fence }: SimHost): boolean {
  const isFenceStopped = fence?.process.isAlive === true && !fence.process.isRunning;
  if (verb.do === "stopFence") return agent?.isRunning !== true;
  return isFenceStopped && TAKES_AGENT.includes(verb.do);
}

function begin(world: FaultWorld, verb: Verb, host: SimHost | undefined): Undo {
  const kind = kindOf(verb);
  if (kind === "router") return playOnRouter(world.cluster, verb);
  if (kind === "operator") return playOperator(world.cluster, verb, host);
  if (kind === "network" || kind === "store")
    return playOnNetworkOrStore(world.cluster, verb, host);
  if (kind === "site") return playOnSite(world.cluster, verb);
  if (host === undefined) return nothing;
  return kind === "process"
    ? playOnProcess(world, verb, host)
    : playOnMachine(world.cluster, verb, host);
}

function playOnRouter({ routers }: SimCluster, verb: Verb): Undo {
  const router = "router" in verb ? routers.get(verb.router) : undefined;
  if (router === undefined) return nothing;
  if (verb.do === "killRouter") {
    router.kill();
    return () => router.start();
  }
  router.isBusy = true;
  return () => {
    router.isBusy = false;
  };
}

function playOnProcess({ cluster, workload }: FaultWorld, verb: Verb, host: SimHost): Undo {
  const { server } = host;
  switch (verb.do) {
    case "killPostmaster":
      server.killPostmaster();
      return nothing;
    case "crashBackend":
      crashBackend(server);
      return nothing;
    case "failSessions":
      setFailing(server, true);
      return () => setFailing(server, false);
    case "killHost":
      host.powerOff();
      return () => {
        host.powerOn();
        cluster.startAgent(host.name);
      };
    case "killAgent":
      host.agent?.kill();
      return () => cluster.startAgent(host.name);
    case "crashLoopAgent":
      return crashLoop(cluster, host, verb.livesMs);
    case "stopAgent": {
      const { agent } = host;
      agent?.pause();
      return () => agent?.resume();
    }
    case "stallAgent":
      host.agent?.stallAtNextSend(verb.stallMs);
      return nothing;
    case "killFence":
      host.fence?.process.kill();
      return nothing;
    case "stopFence": {
      const { fence } = host;
      fence?.process.pause();
      return () => fence?.process.resume();
    }
    case "hangServer":
      server.setPostmaster("hung");
      return () => server.setPostmaster("ok");
    case "stopServer":
      server.setFrozen(true);
      // On a host that sleeps nobody hears a signal.
      return () => {
        if (host.isAwake) server.setFrozen(false);
      };
    case "refusePromotion":
      host.refusesPromotion = true;
      return () => {
        host.refusesPromotion = false;
      };
    case "longBackends":
      workload.runProcedures(host, verb.count);
      return nothing;
    case "startByStranger":
      host.startByStranger();
      return nothing;
    case "cancelWaits":
      return cancelAgainAndAgain(cluster, host, verb.everyMs);
    default:
      throw new Error(`not a verb of processes: ${verb.do}`);
  }
}

const RESTART_MS = 700;

function crashLoop(cluster: SimCluster, host: SimHost, livesMs: number): Undo {
  let isOver = false;
  const round = (): void => {
    if (isOver) return;
    host.agent?.kill();
    cluster.kernel.after(RESTART_MS, () => {
      if (isOver) return;
      cluster.startAgent(host.name);
      cluster.kernel.after(livesMs, round);
    });
  };
  round();
  return () => {
    isOver = true;
    cluster.startAgent(host.name);
  };
}

function cancelAgainAndAgain(cluster: SimCluster, { server }: SimHost, everyMs: number): Undo {
  let isOver = false;
  const round = (): void => {
    if (isOver) return;
    if (server.run?.frozen === false) cancelWaits(server.run);
    cluster.kernel.after(everyMs, round);
  };
  round();
  return () => {
    isOver = true;
  };
}

const WAKE_UP_MS = 600;

function playOnMachine(cluster: SimCluster, verb: Verb, host: SimHost): Undo {
  const { disk, clock } = host;
  switch (verb.do) {
    case "clockRate": {
      const before = clock.rate;
      clock.setRate(verb.rate);
      return () => clock.setRate(before);
    }
    case "stepWall":
      clock.stepWall(verb.byMs);
      return nothing;
    case "suspendHost":
      return suspend(cluster, host);
    case "fillDisk":
      disk.full = true;
      return () => {
        disk.full = false;
      };
    case "tightenDisk":
      disk.tight = true;
      return () => {
        disk.tight = false;
      };
    case "breakWatchdog":
      host.watchdog = "failed";
      return () => {
        host.watchdog = "off";
      };
    case "foreignData":
      return swapData(host, verb.isJunk);
    case "slowDisk": {
      disk.slowMs += verb.slowMs;
      return () => {
        disk.slowMs -= verb.slowMs;
      };
    }
    case "slowStandby": {
      disk.slowMs += verb.slowMs;
      return () => {
        disk.slowMs -= verb.slowMs;
      };
    }
    default:
      throw new Error(`not a verb of machines: ${verb.do}`);
  }
}

/** The server is ended, another directory put in its place, and the right one put back at the end. */
function swapData(host: SimHost, isJunk: boolean): Undo {
  const { disk, server } = host;
  const { data, state, marked, lineage, pending } = disk;
  // What a second one put back would not be the right one.
  if (data === undefined || marked || state === "foreign") return nothing;
  server.vanish("its directory is taken away");
  disk.data = isJunk ? undefined : { ...data, systemId: "666", standbySignal: true };
  disk.state = "foreign";
  return () => {
    server.vanish("its directory is put back");
    Object.assign(disk, { data, state, marked, lineage, pending });
  };
}

/** Every process stands still, the boot clock runs. On waking up the fence may come milliseconds after a backend (L1). */
function suspend(cluster: SimCluster, host: SimHost): Undo {
  const { agent, fence } = host;
  if (!host.isAwake) return nothing;
  host.isAwake = false;
  host.excusedUntil = Number.POSITIVE_INFINITY;
  host.server.setFrozen(true);
  agent?.pause();
  fence?.process.pause();
  cluster.network.setPower(host.name, false);
  return () => {
    host.isAwake = true;
    host.excusedUntil = cluster.kernel.now + WAKE_UP_MS;
    if (host.isUp) cluster.network.setPower(host.name, true);
    fence?.process.resume();
    agent?.resume();
    host.server.setFrozen(false);
    cluster.startAgent(host.name);
  };
}
