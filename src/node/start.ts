// What belongs to one node, and how is it put together and taken apart?

import type { Controller, Decision } from "../controllers/controller.ts";
import { act } from "../controllers/ha/act.ts";
import type { ActOptions } from "../controllers/ha/acting.ts";
import { decide } from "../controllers/ha/decide.ts";
import { type HaPorts, type HaSurroundings, observe } from "../controllers/ha/observe.ts";
import { possibleRivals } from "../controllers/ha/plans/roster.ts";
import { type HaStep, isLong } from "../controllers/ha/steps.ts";
import {
  EMPTY_MEMORY,
  type HaMemory,
  type HaWorld,
  type Requests,
  type Self,
} from "../controllers/ha/world.ts";
import { createDcs } from "../dcs/create-dcs.ts";
import type { ClusterSnapshot, Roster } from "../model/cluster.ts";
import { type DynamicConfig, holdMsOf } from "../model/config.ts";
import { renewEveryMs } from "../model/lease.ts";
import type { PeerStatus } from "../model/member.ts";
import type { PromiseAnswer, PromiseAsked } from "../model/promise.ts";
import type { ScheduledRestart } from "../model/restart.ts";
import type { NodeSettings } from "../model/settings.ts";
import { isSameStore, recordOf } from "../model/store-record.ts";
import { after, between, type Instant, type Ms } from "../model/time.ts";
import type { Dcs, HoldSighting } from "../ports/dcs.ts";
import type { FenceStatus } from "../ports/fence.ts";
import type { LeaseView } from "../ports/lease.ts";
import type { ServerPlan } from "../ports/postgres.ts";
import { createJournal } from "../runtime/journal.ts";
import { createLeaseKeeper, type LeaseKeeper } from "../runtime/lease-keeper.ts";
import { createLoop, type Loop } from "../runtime/loop.ts";
import { PromiseBook } from "../runtime/promise-book.ts";
import type {
  FreshLook,
  LastLook,
  Node,
  NodeOptions,
  NodePorts,
  Reinitialise,
  RepopulateOutcome,
  RepopulateWish,
} from "./node.ts";
import { peerStatusOf } from "./peer-status.ts";
import { prepareFence } from "./prepare-fence.ts";
import { objectionTo } from "./promise-objection.ts";
import { durableLeaseId, firstConfig, rememberedConfig, StoreNotes } from "./remembered.ts";
import { RemoteWatch } from "./remote-watch.ts";
import { repopulate } from "./repopulate.ts";
import { due, NO_REQUESTS, unfulfilled } from "./requests.ts";
import { selfOf } from "./self.ts";
import { planFor } from "./server-plan.ts";
import { Silence } from "./silence.ts";
import { createWakes } from "./wakes.ts";

const STOP_LIMIT_MS: Ms = 120_000;
const STOP_POLL_MS: Ms = 20;
const FRESH_LOOK_MS: Ms = 1_000;
/** A holder's last look before it would be isolated takes this long (R33). */
const ISOLATION_LOOK_MS: Ms = 1_000;

/** Everything that one node needs, put together but not started: nothing has been touched yet. */
export async function createNode(ports: NodePorts, options: NodeOptions): Promise<Node> {
  return new RunningNode(ports, options, await durableLeaseId(ports));
}

/** Creates and starts a node. */
export async function startNode(ports: NodePorts, options: NodeOptions): Promise<Node> {
  const node = await createNode(ports, options);
  await node.start();
  return node;
}

class RunningNode implements Node {
  readonly dcs: Dcs;
  readonly journal = createJournal<HaWorld>();
  readonly #ports: NodePorts;
  #settings: NodeSettings;
  #self: Self;
  readonly #keeper: LeaseKeeper;
  readonly #loop: Loop;
  #watching = new AbortController();
  #config: DynamicConfig;
  #plan:
    | {
        readonly config: DynamicConfig;
        readonly settings: NodeSettings;
        readonly plan: ServerPlan;
      }
    | undefined;
  #requests: Requests = NO_REQUESTS;
  readonly #silence: Silence;
  readonly #notes: StoreNotes;
  readonly #promises: PromiseBook;
  readonly #remote: RemoteWatch;
  readonly #onLook: NonNullable<NodeOptions["onLook"]>;
  #holdSeen: HoldSighting | undefined;
  #last: LastLook | undefined;
  #cluster: { seen: ClusterSnapshot; at: Instant } | undefined;

  constructor(ports: NodePorts, options: NodeOptions, leaseId: string) {
    const { clock, log, fence } = ports;
    const { settings } = options;
    this.#ports = ports;
    this.#silence = new Silence(clock);
    this.#remote = new RemoteWatch(clock, ports.postgres);
    this.#notes = new StoreNotes(ports);
    this.#settings = settings;
    this.#onLook = options.onLook ?? (() => undefined);
    this.#self = selfOf(options, clock.now());
    this.#config = rememberedConfig(ports, settings.bootstrap.config);
    const { scheduledRestart } = ports.state.current();
    this.#requests = { ...NO_REQUESTS, scheduledRestart };
    const { scope, namespace, name } = settings;
    this.dcs = createDcs({
      store: ports.store,
      scope,
      namespace,
      lastGoodConfig: this.#config,
      termBase: () => this.#cluster?.seen.succession.value?.termBase ?? 0,
    });
    this.#promises = new PromiseBook(clock, ports.state);
    this.#keeper = createLeaseKeeper({
      clock,
      log,
      dcs: this.dcs,
      fence,
      name,
      leaseId,
      config: () => this.#config,
      mayServeWrites: () => this.#mayServeWrites(),
      needsFence: () => this.#config.standbyCluster === undefined || this.#mayServeWrites(),
      peers: ports.peers,
      rivals: () => this.#rivals(),
      promised: () => this.#promises.binding(),
      onChange: (why) => this.wake(why),
    });
    this.#loop = createLoop<HaWorld, HaStep, HaMemory>({
      controller: this.#controller(),
      clock,
      log,
      journal: this.journal,
      memory: EMPTY_MEMORY,
      loopWaitMs: () => this.#loopWaitMs(),
      onDecision: (world, decision, observedAt) => this.#note(world, decision, observedAt),
      onStep: () => this.#keeper.unvouch(),
    });
  }

  async start(): Promise<void> {
    const { fence } = this.#ports;
    fence.onEvent((event) => {
      this.#keeper.unvouch();
      this.wake(`fence: ${event.kind}`);
    });
    await prepareFence(this.#ports, this.#keeper.view().leaseId);
    this.#watch();
    this.#keeper.start();
    this.#loop.start();
  }

  #watch(): void {
    const wakes = createWakes({
      sawHold: (revision) => this.#sawHold(revision),
      wake: (why) => this.wake(why),
      leads: () => this.#keeper.view().held !== undefined,
    });
    this.dcs.watch((event) => wakes.onEvent(event), this.#watching.signal);
  }

  /** Another store continues ours (R31): revisions and watches of the old one mean nothing in it. */
  #beginAnew(): void {
    this.#holdSeen = undefined;
    this.#watching.abort();
    this.#watching = new AbortController();
    this.#watch();
  }

  last = (): LastLook | undefined => this.#last;
  lastCluster = () => this.#cluster;
  lease = (): LeaseView => this.#keeper.view();
  fence = (): FenceStatus => this.#ports.fence.status();
  requests = (): Requests => this.#requests;

  async freshLook(): Promise<FreshLook> {
    const { postgres, clock } = this.#ports;
    const seen = await postgres.observe(this.#planFor(this.#config), FRESH_LOOK_MS);
    const at = clock.now();
    return { server: { seen, at }, peer: peerStatusOf(this.#self, seen, this.#last?.world, at) };
  }

  peerStatusNow(): PeerStatus | undefined {
    const world = this.#last?.world;
    return world === undefined
      ? undefined
      : peerStatusOf(this.#self, world.server, world, world.now);
  }

  promise(asked: PromiseAsked): Promise<PromiseAnswer> {
    return this.#promises.give(asked, () =>
      objectionTo(asked, {
        name: this.#settings.name,
        config: this.#config,
        lease: this.#keeper.view(),
        cluster: this.#cluster?.seen,
        server: this.#last?.world.server,
        now: this.#ports.clock.now(),
      }),
    );
  }

  #rivals(): Roster | undefined {
    const last = this.#last;
    if (last === undefined || !this.#config.failsafeMode) return undefined;
    return possibleRivals(this.#settings.name, last.decision.memory.roster);
  }

  requestRestart(): void {
    this.#requests = { ...this.#requests, restart: { at: this.#ports.clock.now() } };
    this.wake("restart requested");
  }

  async scheduleRestart(planned: ScheduledRestart | undefined): Promise<void> {
    await this.#ports.state.update({ scheduledRestart: planned });
    this.#requests = { ...this.#requests, scheduledRestart: planned };
    this.wake("restart scheduled");
  }

  /** A restart that has begun, or was dropped, must not be begun again by another life of this agent. */
  #planIsOver(): void {
    const { state, log } = this.#ports;
    state.update({ scheduledRestart: undefined }).catch((error: unknown) => {
      log.warn("the state beside the data could not be written", { error: String(error) });
    });
  }

  requestReinitialise(how: Reinitialise = {}): void {
    const at = this.#ports.clock.now();
    this.#requests = { ...this.#requests, reinitialise: { at, ...how } };
    this.wake("reinitialise requested");
  }

  requestDropSlot(name: string | undefined): void {
    const dropSlot = name === undefined ? undefined : { name, at: this.#ports.clock.now() };
    this.#requests = { ...this.#requests, dropSlot };
    this.wake("slot to be dropped");
  }

  reconfigure(settings: NodeSettings): void {
    this.#settings = settings;
    this.#self = { ...this.#self, tags: settings.tags };
    this.#requests = { ...this.#requests, reload: { at: this.#ports.clock.now() } };
    this.wake("configuration file");
  }

  repopulate = (wish: RepopulateWish): Promise<RepopulateOutcome> =>
    repopulate(this.#ports, this, wish);

  settings = (): NodeSettings => this.#settings;

  wake(why: string): void {
    this.#loop.wake(why);
  }

  async stop(): Promise<void> {
    this.#requests = { ...this.#requests, stopping: "stop" };
    await this.#leaveWhen("stopped", "detached"); // in a pause the server stays
  }

  async detach(): Promise<void> {
    this.#requests = { ...this.#requests, stopping: "detach" };
    await this.#leaveWhen("detached");
  }

  abandon(): void {
    this.#watching.abort();
    this.#keeper.stop();
    void this.#loop.stop();
  }

  async #leaveWhen(...ends: readonly ("stopped" | "detached")[]): Promise<void> {
    const { clock } = this.#ports;
    this.wake("the agent leaves");
    const limit = after(clock.now(), STOP_LIMIT_MS);
    const isOver = () => ends.some((reason) => reason === this.#last?.decision.because);
    while (!isOver() && clock.now() < limit) await clock.sleep(STOP_POLL_MS);
    this.#watching.abort();
    this.#keeper.stop();
    await this.#loop.stop();
  }

  #controller(): Controller<HaWorld, HaStep, HaMemory> {
    const { clock, log, postgres, fence, peers, state } = this.#ports;
    const ha: HaPorts = {
      clock,
      dcs: this.dcs,
      postgres,
      fence,
      peers,
      lease: this.#keeper,
      state,
    };
    const around = this.#surroundings();
    const firstConfigJson = JSON.stringify(firstConfig(this.#settings.bootstrap.config));
    const acting: ActOptions = { ...ha, name: this.#settings.name, firstConfigJson };
    return {
      observe: async (memory, outcomes, job) => {
        const world = await observe(ha, around, { memory, outcomes, job });
        // What has come true is no longer asked for: decided upon once more it would be done once more.
        const { requests, dropped } = due(unfulfilled(this.#requests, world), world);
        if (requests.scheduledRestart !== this.#requests.scheduledRestart) this.#planIsOver();
        this.#requests = requests;
        if (dropped !== undefined) log.warn("a scheduled restart is dropped", { why: dropped });
        return world.requests === requests ? world : { ...world, requests };
      },
      decide,
      act: (step, onProgress, signal) => act(acting, step, onProgress, signal),
      isLong,
    };
  }

  #surroundings(): HaSurroundings {
    return {
      self: () => this.#self,
      requests: () => this.#requests,
      holdSeen: () => this.#holdSeen,
      sawHold: (revision) => this.#sawHold(revision),
      config: () => this.#config,
      sawCluster: (cluster) => {
        const before = this.#cluster?.seen;
        if (before !== undefined && !isSameStore(before, cluster)) this.#beginAnew();
        this.#config = cluster.config.value ?? this.#config;
        this.#cluster = { seen: cluster, at: this.#ports.clock.now() };
        this.#promises.sawCluster(cluster);
        void this.#notes.saw(cluster, this.#config);
      },
      lastStore: () => this.#cluster && recordOf(this.#cluster.seen, undefined),
      promised: () => this.#promises.binding(),
      heard: (name, answered) => this.#silence.heard(name, answered),
      wasSilent: (name) => this.#silence.wasSilent(name),
      planFor: (config) => this.#planFor(config),
      lookAtSite: (site) => this.#remote.look(site),
    };
  }

  /** The plan changes only with the cluster's configuration or the node's file, and is asked for twice a look. */
  #planFor(config: DynamicConfig): ServerPlan {
    const old = this.#plan;
    if (old?.config === config && old.settings === this.#settings) return old.plan;
    const plan = planFor(config, this.#settings);
    this.#plan = { config, settings: this.#settings, plan };
    return plan;
  }

  /** R7: a hold is dated when its revision is first seen, by read or by watch. */
  #sawHold(revision: number): void {
    if (this.#holdSeen !== undefined && this.#holdSeen.revision >= revision) return;
    this.#holdSeen = { revision, seenAt: this.#ports.clock.now() };
  }

  #note(world: HaWorld, decision: Decision<HaStep, HaMemory>, observedAt: Instant): void {
    const same = this.#last?.decision.because === decision.because;
    const since = same && this.#last !== undefined ? this.#last.since : world.now;
    const tookMs = between(observedAt, this.#ports.clock.now());
    this.#last = { world, decision, tookMs, since };
    const term = world.lease.held?.term;
    if (decision.vouch && term !== undefined) this.#keeper.vouch({ term, observedAt });
    else this.#keeper.unvouch();
    this.#onLook(world);
  }

  /** A holder looks at least as often as it renews: an old vouch renews nothing. */
  #loopWaitMs(): Ms {
    const { loopWaitMs } = this.#config;
    if (this.#keeper.view().held === undefined) return loopWaitMs;
    const { isolationMs } = this.#config;
    const alertMs = isolationMs === 0 ? loopWaitMs : isolationMs - ISOLATION_LOOK_MS;
    return Math.min(loopWaitMs, renewEveryMs(holdMsOf(this.#config)), alertMs);
  }

  #mayServeWrites(): boolean {
    const server = this.#last?.world.server;
    if (server === undefined) return true;
    const isStandby = server.sql.kind === "known" && server.sql.value.inRecovery;
    return server.process.kind !== "down" && !isStandby;
  }
}
