// The whole simulated world of one schedule: hosts, network, store, agents, clients.
import { createDcs } from "../dcs/create-dcs.ts";
import type { Tags } from "../model/settings.ts";
import { parseSuccession } from "../model/wire/succession.ts";
import type { NodePorts } from "../node/node.ts";
import type { Dcs } from "../ports/dcs.ts";
import type { Peers } from "../ports/peers.ts";
import { processClock } from "./clock.ts";
import { type Dice, dice } from "./dice.ts";
import type { FenceFlaws } from "./fence.ts";
import { SimFence } from "./fence-client.ts";
import { SimHost } from "./host.ts";
import { Kernel } from "./kernel.ts";
import { simLog } from "./log.ts";
import { Network, type NetworkOptions } from "./network.ts";
import type { NodeFactory, SimNode } from "./node-factory.ts";
import { simNodeState } from "./node-state.ts";
import { type AskedAgent, type Asker, simPeers } from "./peers.ts";
import { type PostgresFlaws, SimPostgres } from "./postgres.ts";
import { SimProcess } from "./process.ts";
import { FAR, SimRemote } from "./remote.ts";
import { type RouterFlaws, SimRouter } from "./router.ts";
import { DEFAULT_PROFILE, type ServerProfile } from "./run.ts";
import { simSettings } from "./settings.ts";
import { SlotReader } from "./slot-reader.ts";
import { SimStore } from "./store.ts";
import { SimStoreClient } from "./store-client.ts";
import { noPathFaults, type PathFaults } from "./store-path.ts";
import { strangerSays } from "./stranger.ts";
import { TruthBoard } from "./truth.ts";
import { WalTree } from "./wal.ts";
import { witnessed } from "./witness.ts";

export interface NodeSpec {
  /** Of the host, and of its member unless that bears another's name. */
  readonly name: string;
  readonly memberName?: string | undefined;
  readonly clockRate?: number;
  readonly profile?: Partial<ServerProfile>;
  readonly tags?: Partial<Tags>;
}

/** Planted faults: flaws of simulated parts, and wrappers around the ports that a node gets. */
export interface Flaws {
  readonly fence?: FenceFlaws;
  readonly postgres?: PostgresFlaws;
  readonly clients?: { readonly takeWarningForPromise?: boolean };
  readonly router?: RouterFlaws;
  readonly wrapPorts?: (ports: NodePorts, host: SimHost, cluster: SimCluster) => NodePorts;
}

export interface ClusterOptions {
  readonly seed: number;
  readonly nodes: readonly NodeSpec[];
  readonly storeOn: readonly string[];
  readonly electionMs: number;
  readonly revokesEarly: boolean;
  readonly network: NetworkOptions;
  /** `bootstrap.dcs` of every node. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly factory: NodeFactory;
  readonly flaws: Flaws;
  /** There is a server of another site, which the configuration may name as `far`. */
  readonly otherSite?: boolean | undefined;
  /** What members write lacks what Patroni's agents would not write. */
  readonly strangers?: boolean | undefined;
  /** Routers beside the nodes; none when left out. */
  readonly routers?: readonly string[] | undefined;
}

/** The host of operators and clients. */
export const OUTSIDE = "outside";

interface Agent {
  readonly process: SimProcess;
  node: SimNode | undefined;
}

export class SimCluster {
  readonly options: ClusterOptions;
  readonly kernel = new Kernel();
  readonly dice: Dice;
  readonly truth: TruthBoard;
  readonly tree = new WalTree();
  readonly network: Network;
  readonly store: SimStore;
  readonly hosts = new Map<string, SimHost>();
  readonly routers = new Map<string, SimRouter>();
  readonly paths = new Map<string, PathFaults>();
  readonly operator: Dcs;
  /** Consumers of the logical slots that the configuration names. */
  readonly readers: readonly SlotReader[];
  /** The server of the other site, where there is one. */
  readonly remote: SimRemote | undefined;
  lostAnswers = 0;
  readonly #agents = new Map<string, Agent>();
  readonly #crashes: string[] = [];
  /** Who gave the leader key back, its server being down, and when. */
  readonly #handedOver = new Map<string, number>();

  constructor(options: ClusterOptions) {
    this.options = options;
    this.dice = dice(options.seed);
    this.truth = new TruthBoard(() => this.kernel.now);
    this.network = new Network(this.kernel, this.dice.fork("network"), options.network);
    this.store = new SimStore(
      { kernel: this.kernel, dice: this.dice.fork("store"), network: this.network },
      {
        members: options.storeOn,
        electionMs: options.electionMs,
        revokesEarly: options.revokesEarly,
      },
    );
    const { kernel, tree, network } = this;
    this.remote =
      options.otherSite === true
        ? new SimRemote({ kernel, tree, network, dice: this.dice.fork(FAR) })
        : undefined;
    for (const spec of options.nodes) this.#addHost(spec);
    for (const name of options.routers ?? []) this.#addRouter(name);
    const slots = Object.keys(options.config["slots"] ?? {});
    this.readers = slots.map((slot) => new SlotReader(this, slot));
    const process = new SimProcess(this.kernel, "operator");
    this.operator = this.#dcsFor(OUTSIDE, process);
  }

  #addHost(spec: NodeSpec): void {
    const { options } = this;
    this.paths.set(spec.name, noPathFaults());
    const host = new SimHost({
      kernel: this.kernel,
      dice: this.dice.fork(spec.name),
      truth: this.truth,
      tree: this.tree,
      network: this.network,
      world: {
        network: this.network,
        serverAt: (name) => (name === FAR ? this.remote?.server : this.hosts.get(name)?.server),
        lacksSlot: (from) => from.host === FAR && this.remote?.lacksSlot(from.slot) !== false,
      },
      name: spec.name,
      settings: simSettings(spec, options.config),
      profile: { ...DEFAULT_PROFILE, ...spec.profile },
      clockRate: spec.clockRate ?? 1,
      fenceFlaws: options.flaws.fence ?? {},
    });
    this.hosts.set(spec.name, host);
  }

  #addRouter(name: string): void {
    const { kernel, truth, network, hosts, options } = this;
    const router = new SimRouter(
      {
        kernel,
        truth,
        network,
        dice: this.dice,
        hosts,
        flaws: options.flaws.router ?? {},
        peersFor: (asker, process) => this.#peersFor(asker, process),
        storeFor: (host, process) => this.#storeClient(host, process),
      },
      name,
    );
    this.routers.set(name, router);
  }

  #dcsFor(host: string, process: SimProcess): Dcs {
    const store = this.#storeClient(host, process);
    return createDcs({ store, namespace: "/service", scope: "demo" });
  }

  #storeClient(host: string, process: SimProcess): SimStoreClient {
    return new SimStoreClient({
      store: this.store,
      process,
      host,
      dice: this.dice.fork(`path ${host} ${this.kernel.now}`),
      faults: this.paths.get(host) ?? noPathFaults(),
      writesAsStranger: this.options.strangers === true,
      onLostAnswer: () => {
        this.lostAnswers += 1;
      },
      onApplied: (writes) => {
        this.truth.tell({ kind: "stored", host, writes });
        const gaveKeyBack = writes.some((w) => w.kind === "delete" && w.key.endsWith("/leader"));
        // Who removes another one's key has a server that runs.
        if (gaveKeyBack && this.hosts.get(host)?.server.run === undefined)
          this.#handedOver.set(host, this.kernel.now);
      },
    });
  }

  host(name: string): SimHost {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  agent(name: string): Agent | undefined {
    return this.#agents.get(name);
  }

  /** Starts an agent on a host that has power and none. */
  startAgent(name: string): void {
    const host = this.host(name);
    if (!host.isUp || !host.isAwake || host.agent?.isAlive === true) return;
    const process = new SimProcess(this.kernel, `${name}/agent`);
    host.agent = process;
    const agent: Agent = { process, node: undefined };
    this.#agents.set(name, agent);
    const ports = witnessed(this.portsFor(host, process), host, () => this.#termBase());
    const flawed = this.options.flaws.wrapPorts?.(ports, host, this) ?? ports;
    const settings = host.parts.settings;
    this.options.factory(flawed, { settings, agentVersion: "0.0.0" }).then(
      (node) => (agent.node = node),
      (error: unknown) => this.#agentFailed(host, process, error),
    );
    this.kernel.touch();
  }

  #termBase(): number {
    const text = this.store.state.keys.get("/service/demo/succession")?.value;
    return parseSuccession(text)?.termBase ?? 0;
  }

  /** An agent that cannot start exits and is started again by its supervisor. */
  #agentFailed(host: SimHost, process: SimProcess, error: unknown): void {
    this.truth.tell({
      kind: "event",
      host: host.name,
      text: `agent could not start: ${String(error)}`,
    });
    process.kill();
    this.kernel.after(2_000, () => {
      if (host.agent === process) this.startAgent(host.name);
    });
  }

  portsFor(host: SimHost, process: SimProcess): NodePorts {
    const fence = new SimFence(host, process);
    return {
      clock: processClock(this.kernel, host.clock, process),
      random: this.dice.fork(`${host.name} at ${this.kernel.now}`),
      log: simLog(host, process),
      store: this.#storeClient(host.name, process),
      postgres: new SimPostgres(host, process, fence, this.options.flaws.postgres ?? {}),
      fence,
      peers: this.#peersFor(host, process),
      state: simNodeState(host, process),
    };
  }

  #peersFor(asker: Asker, process: SimProcess): Peers {
    return simPeers(asker, process, { agentAt: (name) => this.#answering(name) });
  }

  #answering(name: string): AskedAgent | undefined {
    const agent = this.#agents.get(name);
    const node = agent?.node;
    if (agent === undefined || node === undefined || !agent.process.isAlive) return undefined;
    return {
      process: agent.process,
      status: async () => {
        const { peer } = await node.freshLook();
        const at = this.#handedOver.get(name);
        const isStranger = this.options.strangers === true && at !== undefined;
        return isStranger ? strangerSays(peer, this.kernel.now - at) : peer;
      },
      promise: (asked) => node.promise(asked),
    };
  }

  /** The only server that clients can write to now, if there is one. */
  writable(): SimHost | undefined {
    return [...this.hosts.values()].find((h) => h.server.canAcknowledge());
  }

  /** The configuration in the store says that the whole cluster follows the other site. */
  followsSite(): boolean {
    const config = this.store.state.keys.get("/service/demo/config")?.value;
    return config?.includes('"standby_cluster":{') === true;
  }

  /** Hosts whose server runs as a standby, in order of name. */
  standbys(): readonly SimHost[] {
    return [...this.hosts.values()].filter((h) => h.server.run?.phase === "standby");
  }

  /** Something that no simulated fault explains: a thrown error in the code under test. */
  crashed(what: string): void {
    this.#crashes.push(what);
  }
  get crashes(): readonly string[] {
    return this.#crashes;
  }
}
