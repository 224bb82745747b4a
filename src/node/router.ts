// One router: ports in, a running route loop out. A database node may have one beside its ha loop.
import type { Decision } from "../controllers/controller.ts";
import { act } from "../controllers/route/act.ts";
import { decide } from "../controllers/route/decide.ts";
import { WRITE_LIMIT_MS } from "../controllers/route/limits.ts";
import { observe } from "../controllers/route/observe.ts";
import type { RouteStep } from "../controllers/route/steps.ts";
import {
  firstMemory,
  type RouteMemory,
  type RouterSelf,
  type RouteWorld,
} from "../controllers/route/world.ts";
import { createDcs } from "../dcs/create-dcs.ts";
import type { ClusterSnapshot } from "../model/cluster.ts";
import { DEFAULT_CONFIG } from "../model/config.ts";
import { after, type Instant, type Ms } from "../model/time.ts";
import type { Balancer } from "../ports/balancer.ts";
import type { Clock } from "../ports/clock.ts";
import type { Dcs, DcsEvent } from "../ports/dcs.ts";
import type { Log } from "../ports/log.ts";
import type { Lookout } from "../ports/lookout.ts";
import type { Peers } from "../ports/peers.ts";
import type { Pooler } from "../ports/pooler.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";
import { createJournal, type Journal } from "../runtime/journal.ts";
import { createLoop, type Loop } from "../runtime/loop.ts";

export interface RouterPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: Store;
  readonly peers: Peers;
  readonly lookout: Lookout;
  readonly pooler: Pooler | undefined;
  readonly balancer: Balancer | undefined;
}

export interface RouterOptions {
  readonly scope: string;
  readonly namespace: string;
  readonly self: RouterSelf;
}

export interface LastRoute {
  readonly world: RouteWorld;
  readonly decision: Decision<RouteStep, RouteMemory>;
}

export interface Router {
  readonly self: RouterSelf;
  readonly pooler: Pooler | undefined;
  readonly balancer: Balancer | undefined;
  readonly journal: Journal<RouteWorld>;
  last(): LastRoute | undefined;
  lastCluster(): { readonly seen: ClusterSnapshot; readonly at: Instant } | undefined;
  /** Calls `listener` after every decision; it must neither wait nor throw. */
  onLook(listener: (last: LastRoute) => void): void;
  start(): void;
  /** Clients go on; then the programs end, or stay as they are for the next life of the agent. */
  stop(programs: "end" | "stay"): Promise<void>;
  /** Ends the loop and nothing else. */
  abandon(): void;
}

const STOP_LIMIT_MS: Ms = 10_000;
const STOP_POLL_MS: Ms = 20;

export function createRouter(ports: RouterPorts, options: RouterOptions): Router {
  return new RunningRouter(ports, options);
}

class RunningRouter implements Router {
  readonly self: RouterSelf;
  readonly pooler: Pooler | undefined;
  readonly balancer: Balancer | undefined;
  readonly journal = createJournal<RouteWorld>();
  readonly #ports: RouterPorts;
  readonly #dcs: Dcs;
  readonly #leaseId: string;
  readonly #loop: Loop;
  readonly #watching = new AbortController();
  #tell: (last: LastRoute) => void = () => undefined;
  #stopping = false;
  #last: LastRoute | undefined;
  #cluster: { readonly seen: ClusterSnapshot; readonly at: Instant } | undefined;

  constructor(ports: RouterPorts, { scope, namespace, self }: RouterOptions) {
    const { clock, log, peers, lookout, pooler, balancer } = ports;
    this.#ports = ports;
    this.self = self;
    this.pooler = pooler;
    this.balancer = balancer;
    this.#leaseId = ports.random.leaseId();
    this.#dcs = createDcs({ store: ports.store, scope, namespace });
    const looking = { clock, dcs: this.#dcs, peers, lookout };
    const acting = { ...looking, pooler, balancer, leaseId: this.#leaseId };
    const around = {
      self,
      stopping: () => this.#stopping,
      ttlMs: () => this.#config().ttlMs,
      lastSeen: () => this.#cluster,
      sawCluster: (seen: ClusterSnapshot) => {
        this.#cluster = { seen, at: clock.now() };
      },
    };
    this.#loop = createLoop<RouteWorld, RouteStep, RouteMemory>({
      controller: {
        observe: (memory, outcomes) => observe(looking, around, memory, outcomes),
        decide,
        act: (step, _onProgress, signal) => act(acting, step, signal),
        isLong: () => false,
      },
      clock,
      log,
      journal: this.journal,
      memory: firstMemory(clock.now(), self.settings),
      loopWaitMs: () => this.#config().loopWaitMs,
      onDecision: (world, decision) => {
        this.#last = { world, decision };
        this.#tell(this.#last);
      },
      onStep: () => undefined,
    });
  }

  last = (): LastRoute | undefined => this.#last;
  lastCluster = () => this.#cluster;

  onLook(listener: (last: LastRoute) => void): void {
    this.#tell = listener;
  }

  start(): void {
    this.#ports.lookout.onChange(() => this.#loop.wake("our connection to the primary"));
    this.#dcs.watch((event) => this.#hear(event), this.#watching.signal);
    this.#loop.start();
  }

  async stop(programs: "end" | "stay"): Promise<void> {
    const { clock, log, pooler, balancer } = this.#ports;
    this.#stopping = true;
    this.#loop.wake("stopping");
    const limit = after(clock.now(), STOP_LIMIT_MS);
    while (this.#last?.decision.because !== "route_stopping" && clock.now() < limit)
      await clock.sleep(STOP_POLL_MS);
    this.abandon();
    // A leader need not wait for a router that has left.
    await this.#dcs
      .withdrawRouter(this.self.name, this.#leaseId, WRITE_LIMIT_MS)
      .catch(() => undefined);
    if (programs === "stay") {
      pooler?.close();
      balancer?.close();
      return;
    }
    using ending = clock.deadline(STOP_LIMIT_MS);
    const ended = await Promise.allSettled([
      pooler?.stop(ending.signal),
      balancer?.stop(ending.signal),
    ]);
    for (const end of ended)
      if (end.status === "rejected") log.warn("a program stays", { why: String(end.reason) });
  }

  abandon(): void {
    this.#watching.abort();
    this.#ports.lookout.close();
    void this.#loop.stop();
  }

  #config = () => this.#cluster?.seen.config.value ?? DEFAULT_CONFIG;

  /** News of the leader and of a person's wish; what standbys publish waits for the regular look. */
  #hear(event: DcsEvent): void {
    const leader = this.#cluster?.seen.leader?.name;
    const concernsUs =
      event.kind === "leader" ||
      event.kind === "failover" ||
      event.kind === "gap" ||
      (event.kind === "hold" && event.released) ||
      (event.kind === "member" && event.name === leader);
    if (concernsUs) this.#loop.wake(`store: ${event.kind}`);
  }
}
