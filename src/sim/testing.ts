// A small room for tests of single parts: hosts with servers and fences, no agents.
import { SimCluster } from "./cluster.ts";
import { SimFence } from "./fence-client.ts";
import type { NodeFactory, SimNode } from "./node-factory.ts";
import { SimProcess } from "./process.ts";
import type { ServerProfile } from "./run.ts";
import type { Truth } from "./truth.ts";

const NOBODY: SimNode = {
  freshLook: () => Promise.reject(new Error("nobody")),
  promise: () => Promise.reject(new Error("nobody")),
  requestRestart: () => undefined,
  requestReinitialise: () => undefined,
  repopulate: () => Promise.reject(new Error("nobody")),
  stop: () => Promise.resolve(),
  detach: () => Promise.resolve(),
};

/** An agent that does nothing. */
export const nobody: NodeFactory = () => Promise.resolve(NOBODY);

export interface Room {
  readonly cluster: SimCluster;
  readonly heard: Truth[];
  /** Runs virtual time until the work is done. */
  drive<T>(work: Promise<T>): Promise<T>;
  pass(ms: number): Promise<void>;
}

/** Hosts n1 to n<count> with power and nothing running. */
export function room(count = 3, profile: Partial<ServerProfile> = {}): Room {
  const names = Array.from({ length: count }, (_, i) => `n${i + 1}`);
  const cluster = new SimCluster({
    seed: 7,
    nodes: names.map((name) => ({ name, profile })),
    storeOn: ["etcd"],
    electionMs: 500,
    revokesEarly: false,
    network: { latencyMs: 0.2, jitterMs: 0, loss: 0 },
    config: {},
    factory: nobody,
    flaws: {},
  });
  const heard: Truth[] = [];
  cluster.truth.listen((truth) => heard.push(truth));
  const { kernel } = cluster;
  return {
    cluster,
    heard,
    pass: (ms) => kernel.runUntil(kernel.now + ms),
    async drive(work) {
      let isOver = false;
      const end = (): void => {
        isOver = true;
      };
      work.then(end, end);
      while (!isOver) await kernel.runUntil(kernel.now + 5);
      return work;
    },
  };
}

/** The ports of an agent process on a host. */
export function agentOn(r: Room, name: string) {
  const host = r.cluster.host(name);
  const process = new SimProcess(r.cluster.kernel, `${name}/agent`);
  host.agent = process;
  const ports = r.cluster.portsFor(host, process);
  if (!(ports.fence instanceof SimFence)) throw new Error("not simulated");
  return { host, process, ...ports };
}

export const never = (): AbortSignal => new AbortController().signal;
