// One simulated router: the real route loop over a pooler that knows where it points and whether it is paused.

import type { Target } from "../model/route.ts";
import type { RouterSettings } from "../model/router-settings.ts";
import { type Instant, instant } from "../model/time.ts";
import { createRouter, type Router } from "../node/router.ts";
import type { Lookout } from "../ports/lookout.ts";
import type { Peers } from "../ports/peers.ts";
import type { Store } from "../ports/store.ts";
import { HostClock, processClock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { SimHost } from "./host.ts";
import type { Kernel } from "./kernel.ts";
import { simLog } from "./log.ts";
import type { Network } from "./network.ts";
import type { Asker } from "./peers.ts";
import { SimPooler } from "./pooler.ts";
import { SimProcess } from "./process.ts";
import type { TruthBoard } from "./truth.ts";

/** What a router of the simulation is told in its file. */
export const ROUTER: RouterSettings = {
  onStoreLoss: "keep",
  storeLimitMs: 30_000,
  drainBudgetMs: 2_000,
  drainPolicy: "abort",
  holdLimitMs: 15_000,
  maxLagBytes: 16_777_216,
  maxReportLagBytes: 1_073_741_824,
  readsFromPrimary: false,
  pgbouncer: {
    listen: { host: "127.0.0.1", port: 6432 },
    processes: 1,
    bin: "pgbouncer",
    dir: "/run",
    poolMode: "transaction",
    poolSize: 20,
    maxClientConn: 2_000,
    auth: { type: "any", file: undefined, queryUser: undefined, query: undefined },
    options: {},
    databases: {},
  },
  haproxy: undefined,
};

/** Planted faults of a router. */
export interface RouterFlaws {
  readonly wrapPeers?: (peers: Peers) => Peers;
  readonly wrapStore?: (store: Store) => Store;
  /** Nobody ends a pause whose owner is gone. */
  readonly hasNoWatchdog?: boolean;
}

const LOOK_OUT_MS = 2;

/** What a router's machine stands in. */
export interface RouterStage {
  readonly kernel: Kernel;
  readonly truth: TruthBoard;
  readonly network: Network;
  readonly dice: Dice;
  readonly hosts: ReadonlyMap<string, SimHost>;
  readonly flaws: RouterFlaws;
  peersFor(asker: Asker, process: SimProcess): Peers;
  storeFor(host: string, process: SimProcess): Store;
}

export class SimRouter {
  readonly #stage: RouterStage;
  readonly #name: string;
  readonly #clock: HostClock;
  readonly #pooler: SimPooler;
  #process: SimProcess | undefined;
  #router: Router | undefined;

  constructor(stage: RouterStage, name: string) {
    this.#stage = stage;
    this.#name = name;
    this.#clock = new HostClock(stage.kernel, 1, 50_000);
    this.#pooler = new SimPooler(stage, name);
  }

  /** A client begins a transaction that it does not end, or ends it. */
  set isBusy(is: boolean) {
    this.#pooler.isBusy = is;
  }

  start(): void {
    const { kernel, truth, network, flaws } = this.#stage;
    if (this.#process?.isAlive === true) return;
    const process = new SimProcess(kernel, `${this.#name}/router`);
    this.#process = process;
    const host = { name: this.#name, kernel, truth, network, clock: this.#clock };
    const peers = this.#stage.peersFor(host, process);
    this.#router = createRouter(
      {
        clock: processClock(kernel, this.#clock, process),
        random: this.#stage.dice.fork(`${this.#name} at ${kernel.now}`),
        log: simLog(host, process),
        store: this.#storeThatTells(process),
        peers: flaws.wrapPeers?.(peers) ?? peers,
        lookout: this.#lookout(process),
        pooler: this.#pooler.port(process),
        balancer: undefined,
      },
      {
        scope: "demo",
        namespace: "/service",
        self: {
          name: this.#name,
          apiUrl: `http://${this.#name}:8008`,
          agentVersion: "0.0.0",
          settings: ROUTER,
          addresses: { pgbouncer: `${this.#name}:6432` },
        },
      },
    );
    this.#router.start();
    kernel.touch();
  }

  /** Its process is gone; the pooler lives on. */
  kill(): void {
    this.#process?.kill();
    this.#process = undefined;
  }

  /** What the router is shown is what it knows: a checker judges it by that. */
  #storeThatTells(process: SimProcess): Store {
    const { truth, flaws } = this.#stage;
    const real = this.#stage.storeFor(this.#name, process);
    const store = flaws.wrapStore?.(real) ?? real;
    const host = this.#name;
    return {
      range: async (prefix, options) => {
        const range = await store.range(prefix, options);
        const leader = range.entries.find(({ key }) => key.endsWith("/leader"));
        if (leader !== undefined)
          truth.tell({ kind: "shown", host, term: leader.createRevision, leader: leader.value });
        return range;
      },
      commit: (compares, writes, options) => store.commit(compares, writes, options),
      grant: (leaseId, ttlMs, options) => store.grant(leaseId, ttlMs, options),
      keepAlive: (leaseId, options) => store.keepAlive(leaseId, options),
      watch: (prefix, onEvents, onGap, signal) => store.watch(prefix, onEvents, onGap, signal),
    };
  }

  /** The connection breaks with the server's process; a host that vanishes says nothing. */
  #lookout(process: SimProcess): Lookout {
    const { kernel, hosts, network } = this.#stage;
    let target: Target | undefined;
    let lostSince: Instant | undefined;
    let onChange: () => void = () => undefined;
    const look = (): void => {
      if (!process.isAlive) return;
      kernel.after(LOOK_OUT_MS, look);
      const host = target === undefined ? undefined : hosts.get(target.name);
      if (host === undefined || !network.connects(this.#name, host.name)) return;
      const isUp = host.server.accepts;
      if (isUp === (lostSince === undefined)) return;
      lostSince = isUp ? undefined : instant(this.#clock.now());
      process.deliver(onChange);
    };
    kernel.after(LOOK_OUT_MS, look);
    return {
      watch(next) {
        if (next?.name !== target?.name) lostSince = undefined;
        target = next;
      },
      lostSince: () => lostSince,
      onChange(run) {
        onChange = run;
      },
      close: () => undefined,
    };
  }
}
