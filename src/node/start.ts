// What belongs to one node, and how is it put together and taken apart?

import type { Controller, Decision } from "../controllers/controller.ts";
import { act } from "../controllers/ha/act.ts";
import { decide } from "../controllers/ha/decide.ts";
import { observe } from "../controllers/ha/observe.ts";
import { type HaStep, isLong } from "../controllers/ha/steps.ts";
import {
  EMPTY_MEMORY,
  type HaMemory,
  type HaWorld,
  type Requests,
  type Self,
} from "../controllers/ha/world.ts";
import { createDcs } from "../dcs/create-dcs.ts";
import type { Dcs, HoldSighting } from "../dcs/dcs.ts";
import type { ClusterSnapshot } from "../model/cluster.ts";
import { DEFAULT_CONFIG, type DynamicConfig, holdMsOf } from "../model/config.ts";
import { renewEveryMs, renewTimeoutMs } from "../model/lease.ts";
import type { PeerStatus } from "../model/member.ts";
import { after, type Instant, type Ms } from "../model/time.ts";
import { parseConfig } from "../model/wire/config.ts";
import { createJournal, type Journal } from "../runtime/journal.ts";
import { createLeaseKeeper, type LeaseKeeper } from "../runtime/lease-keeper.ts";
import { createLoop } from "../runtime/loop.ts";
import type { NodeOptions, NodePorts } from "./node.ts";
import { peerStatusOf } from "./peer-status.ts";
import { planFor } from "./server-plan.ts";
import { createWakes } from "./wakes.ts";

/** A running node, as the API and the agent's main see it. */
export interface Node {
  /** The last world and what was decided in it; undefined before the first look. */
  last(): { readonly world: HaWorld; readonly decision: Decision<HaStep, HaMemory> } | undefined;
  readonly dcs: Dcs;
  readonly journal: Journal<HaWorld>;
  /** A fresh look at the own server, for a peer that has to choose. */
  peerStatus(): Promise<PeerStatus>;
  requestRestart(): void;
  requestReinitialise(): void;
  /** Look at the world now: somebody wrote an intent. */
  wake(why: string): void;
  /** PostgreSQL down, leadership handed over; resolves when the agent may leave. */
  stop(): Promise<void>;
  /** Leaves PostgreSQL running under the fence, for an upgrade of the agent. */
  detach(): Promise<void>;
  /** Ends the loops and nothing else. */
  abandon(): void;
}

const REVISION_STEP = 200;
const STOP_LIMIT_MS: Ms = 120_000;
const STOP_POLL_MS: Ms = 50;

/** Starts everything that one node needs; the fence is found or started first. */
export async function startNode(ports: NodePorts, options: NodeOptions): Promise<Node> {
  const { clock, log, state } = ports;
  const { settings } = options;
  const leaseId = await durableLeaseId(ports);
  let config = rememberedConfig(ports, settings.bootstrap.config);
  let requests: Requests = { restart: undefined, reinitialise: undefined, stopping: undefined };
  let holdSeen: HoldSighting | undefined;
  let last: { world: HaWorld; decision: Decision<HaStep, HaMemory> } | undefined;

  const dcs = createDcs({
    store: ports.store,
    scope: settings.scope,
    namespace: settings.namespace,
    lastGoodConfig: config,
  });
  const journal = createJournal<HaWorld>();
  const self = selfOf(options, clock.now());

  const sawHold = (revision: number) => {
    if (holdSeen?.revision !== revision) holdSeen = { revision, seenAt: clock.now() };
  };
  const lease: LeaseKeeper = createLeaseKeeper({
    clock,
    log,
    dcs,
    fence: ports.fence,
    name: settings.name,
    leaseId,
    config: () => config,
    mayServeWrites: () => last === undefined || mayServeWrites(last.world),
    onChange: (why) => loop.wake(why),
  });
  const haPorts = {
    clock,
    dcs,
    postgres: ports.postgres,
    fence: ports.fence,
    peers: ports.peers,
    lease,
    state,
  };
  const around = {
    self,
    requests: () => requests,
    holdSeen: () => holdSeen,
    sawHold,
    config: () => config,
    sawCluster(cluster: ClusterSnapshot) {
      config = cluster.config.value ?? config;
      void rememberStore(ports, cluster, config);
    },
    planFor: (c: DynamicConfig) => planFor(c, settings),
  };
  const firstConfigJson = JSON.stringify(firstConfig(settings.bootstrap.config));
  const actOptions = { ...haPorts, name: settings.name, firstConfigJson };
  const controller: Controller<HaWorld, HaStep, HaMemory> = {
    observe: (memory, outcomes, job) => observe(haPorts, around, memory, outcomes, job),
    decide,
    act: (step, onProgress, signal) => act(actOptions, step, onProgress, signal),
    isLong,
  };
  const loop = createLoop<HaWorld, HaStep, HaMemory>({
    controller,
    clock,
    log,
    journal,
    memory: EMPTY_MEMORY,
    loopWaitMs: () =>
      lease.view().held === undefined
        ? config.loopWaitMs
        : Math.min(config.loopWaitMs, renewEveryMs(holdMsOf(config))),
    onDecision(world, decision, observedAt) {
      last = { world, decision };
      requests = fulfilled(requests, world);
      const term = world.lease.held?.term;
      if (decision.vouch && term !== undefined) lease.vouch({ term, observedAt });
      else lease.unvouch();
    },
    onStep: () => lease.unvouch(),
  });
  const watching = new AbortController();
  const wakes = createWakes({
    name: settings.name,
    sawHold,
    wake: loop.wake,
    leads: () => lease.view().held !== undefined,
  });
  ports.fence.onEvent((event) => {
    lease.unvouch();
    loop.wake(`fence: ${event.kind}`);
  });

  await prepareFence(ports, leaseId);
  dcs.watch(wakes.onEvent, watching.signal);
  lease.start();
  loop.start();

  const quit = async () => {
    watching.abort();
    lease.stop();
    await loop.stop();
  };
  const settle = async (because: "stopped" | "detached") => {
    loop.wake(because);
    const limit = after(clock.now(), STOP_LIMIT_MS);
    while (last?.decision.because !== because && clock.now() < limit)
      await clock.sleep(STOP_POLL_MS);
    await quit();
  };
  return {
    last: () => last,
    dcs,
    journal,
    peerStatus: async () =>
      peerStatusOf(
        self,
        await ports.postgres.observe(around.planFor(config), 1_000),
        last?.world,
        clock.now(),
      ),
    requestRestart() {
      requests = { ...requests, restart: { at: clock.now() } };
      loop.wake("restart requested");
    },
    requestReinitialise() {
      requests = { ...requests, reinitialise: { at: clock.now() } };
      loop.wake("reinitialise requested");
    },
    wake: loop.wake,
    async stop() {
      requests = { ...requests, stopping: "stop" };
      await settle("stopped");
    },
    async detach() {
      requests = { ...requests, stopping: "detach" };
      await settle("detached");
    },
    abandon() {
      watching.abort();
      lease.stop();
      void loop.stop();
    },
  };
}

function selfOf(options: NodeOptions, startedAt: Instant): Self {
  const { settings } = options;
  return {
    name: settings.name,
    host: settings.postgres.connectAddress.host,
    port: settings.postgres.connectAddress.port,
    apiUrl: apiUrlOf(options),
    tags: settings.tags,
    agentVersion: options.agentVersion,
    startedAt,
  };
}

function apiUrlOf({ settings }: NodeOptions): string {
  const { host, port } = settings.rest.connectAddress;
  return `${settings.rest.tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** R10: chosen at random, durable, and told to the fence before its first use. */
async function durableLeaseId(ports: NodePorts): Promise<string> {
  const known = ports.state.current().leaseId;
  if (known !== undefined) return known;
  const leaseId = ports.random.leaseId();
  await ports.state.update({ leaseId });
  return leaseId;
}

/** A fence that cannot be started now is tried again by every tick; nothing is opened to writes without it. */
async function prepareFence(ports: NodePorts, leaseId: string): Promise<void> {
  using limit = ports.clock.deadline(renewTimeoutMs(holdMsOf(DEFAULT_CONFIG)) * 10);
  try {
    await ports.fence.ensure(limit.signal);
    await ports.fence.adopt(leaseId, limit.signal);
  } catch (error) {
    ports.log.error("the fence could not be started", { error: String(error) });
  }
}

function rememberedConfig(
  ports: NodePorts,
  first: Readonly<Record<string, unknown>>,
): DynamicConfig {
  const text = ports.state.current().config;
  const parsed = parseConfig(text ?? first, { mode: "lenient" });
  return parsed.kind === "ok" ? parsed.config : DEFAULT_CONFIG;
}

/** Effective values are written down, so that nothing about a new cluster is implied later. */
function firstConfig(
  written: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const parsed = parseConfig(written, { mode: "lenient" });
  const c = parsed.kind === "ok" ? parsed.config : DEFAULT_CONFIG;
  return {
    ttl: c.ttlMs / 1000,
    loop_wait: c.loopWaitMs / 1000,
    retry_timeout: c.retryTimeoutMs / 1000,
    maximum_lag_on_failover: c.maximumLagOnFailover,
    check_timeline: c.checkTimeline,
    ...written,
  };
}

/** R31, R44: kept beside the data, but not with a disk write at every look. */
async function rememberStore(
  ports: NodePorts,
  cluster: ClusterSnapshot,
  config: DynamicConfig,
): Promise<void> {
  const { clusterId, revision } = cluster.header;
  const { store, config: stored } = ports.state.current();
  const text = cluster.config.value === undefined ? stored : JSON.stringify(config.raw);
  const far = store?.clusterId !== clusterId || revision - store.revision >= REVISION_STEP;
  if (!far && text === stored) return;
  try {
    await ports.state.update({
      store: { clusterId, revision },
      ...(text === undefined ? {} : { config: text }),
    });
  } catch (error) {
    ports.log.warn("the state beside the data could not be written", { error: String(error) });
  }
}

const mayServeWrites = (w: HaWorld): boolean =>
  w.server.process.kind === "running" &&
  !(w.server.sql.kind === "known" && w.server.sql.value.inRecovery);

/** A request is done when the world shows it: a server started after it, or a clone that ended after it. */
function fulfilled(requests: Requests, w: HaWorld): Requests {
  const { restart, reinitialise } = requests;
  const { process } = w.server;
  const restarted =
    restart !== undefined && process.kind === "running" && process.startedAt > restart.at;
  const cloned = w.outcomes["clone"];
  const rebuilt = reinitialise !== undefined && cloned?.ok === true && cloned.at > reinitialise.at;
  return {
    ...requests,
    restart: restarted ? undefined : restart,
    reinitialise: rebuilt ? undefined : reinitialise,
  };
}
