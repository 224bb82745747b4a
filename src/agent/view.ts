// What does the API see of the running node? A reading of the last world, and the few things it may ask for.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { listens } from "../adapters/postgres/listens.ts";
import { lostSlots } from "../controllers/ha/plans/logical-slots.ts";
import { selfPortrait } from "../controllers/ha/plans/self-portrait.ts";
import { slotReports } from "../controllers/ha/plans/slots.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import type { IncidentSummary } from "../incident/merged-incidents.ts";
import { DEFAULT_CONFIG } from "../model/config.ts";
import { asAppError } from "../model/error.ts";
import { bareMember, type PeerStatus } from "../model/member.ts";
import type { ScheduledRestart } from "../model/restart.ts";
import type { NodeSettings } from "../model/settings.ts";
import { after, type Ms } from "../model/time.ts";
import type { LastLook, Node } from "../node/node.ts";
import { apiUrlOf } from "../node/self.ts";
import type { Clock } from "../ports/clock.ts";
import type { Peers } from "../ports/peers.ts";
import type { JournalEntry, NodeRequest, NodeView, RequestOutcome, View } from "./api/node-view.ts";
import type { LagWatch } from "./lag-watch.ts";
import { lastLines, linesSince } from "./log-tail.ts";
import type { ScheduleKeeper } from "./schedule/keeper.ts";
import type { VaultKeeper } from "./vault.ts";

export interface ViewOptions {
  readonly node: Node;
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly peers: Peers;
  readonly serverLog: string;
  readonly lag: LagWatch;
  readonly incidents: () => IncidentSummary | undefined;
  readonly vault?: VaultKeeper | undefined;
  readonly schedule?: Pick<ScheduleKeeper, "warnings"> | undefined;
  /** Reads the node's file again and applies what can be applied while running. */
  reload(): Promise<RequestOutcome>;
  /** Leaves PostgreSQL running and ends the agent. */
  detach(): void;
}

const REQUEST_LIMIT_MS: Ms = 60_000;
const DROP_LIMIT_MS: Ms = 15_000;
const POLL_MS: Ms = 50;
/** Each sample of the event loop's delay wakes the process. */
const SAMPLE_MS: Ms = 1_000;
const WRITE_LIMIT_MS: Ms = 3_000;
const NS_PER_MS = 1e6;

export function createView(o: ViewOptions): NodeView {
  const delay = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  delay.enable();
  const eventLoopDelayMs = () => Math.max(0, delay.percentile(99) / NS_PER_MS - SAMPLE_MS);
  const portrait = perLook((last) => portraitOf(o, last));
  const view = (): View => {
    const vault = o.vault?.state();
    return {
      ...viewOf(o, portrait, eventLoopDelayMs()),
      incidents: o.incidents(),
      ...(vault === undefined ? {} : { vault }),
      scheduleWarnings: o.schedule?.warnings() ?? [],
    };
  };
  return {
    view,
    async fresh() {
      const look = await o.node.freshLook();
      return { ...view(), ...look };
    },
    journal: (limit) => journal(o.node, limit),
    logs(source, wish) {
      const file = source === "server" ? o.serverLog : o.settings.log.file;
      return "since" in wish ? linesSince(file, wish.since) : lastLines(file, wish.lines);
    },
    lagHistory: (since) => o.lag.history(since),
    watchLag: () => o.lag.lookClosely(),
    readCluster: (timeoutMs) => o.node.dcs.snapshot(timeoutMs),
    askMember: (apiUrl, timeoutMs) => o.peers.ask(apiUrl, timeoutMs),
    async writeFailover(intent, revision) {
      const outcome = await o.node.dcs.writeFailover(intent, revision, WRITE_LIMIT_MS);
      o.node.wake("failover intent");
      return outcome;
    },
    async writeConfig(json, revision) {
      const outcome = await o.node.dcs.writeConfig(json, revision, WRITE_LIMIT_MS);
      o.node.wake("configuration");
      return outcome;
    },
    clearUnguarded: (revision) => o.node.dcs.clearUnguarded(revision, WRITE_LIMIT_MS),
    serverAnswers: listens,
    promise: (asked) => o.node.promise(asked),
    repopulate: (wish) => o.node.repopulate(wish),
    request: (request) => carryOut(o, request),
  };
}

type Portrait = Pick<View, "member" | "peer" | "slots" | "lostSlots">;

function portraitOf({ node, settings }: ViewOptions, { world, decision }: LastLook): Portrait {
  const cluster = node.lastCluster();
  return {
    member: selfPortrait(world, decision.because),
    peer: node.peerStatusNow() ?? nobody(settings),
    slots: slotReports({ ...world, memory: decision.memory }),
    lostSlots: cluster === undefined ? [] : lostSlots(world, cluster.seen),
  };
}

/** Health checks come several times a look: what only another look can change is made once for each. */
function perLook<T>(make: (last: LastLook) => T): (last: LastLook) => T {
  let kept: { readonly last: LastLook; readonly value: T } | undefined;
  return (last) => {
    if (kept?.last !== last) kept = { last, value: make(last) };
    return kept.value;
  };
}

function viewOf(
  o: ViewOptions,
  portrait: (last: LastLook) => Portrait,
  eventLoopDelayMs: Ms,
): View {
  const last = o.node.last();
  const { postgres, rest } = o.settings;
  if (last === undefined) {
    const { host, port } = postgres.connectAddress;
    return {
      ...blank(o, eventLoopDelayMs),
      member: bareMember(o.settings.name, host, port, apiUrlOf(rest)),
    };
  }
  const { world, decision } = last;
  // What was asked a moment ago counts before the next look shows it.
  const { scheduledRestart } = o.node.requests();
  const seen = portrait(last);
  return {
    ...seen,
    member: { ...seen.member, scheduledRestart },
    server: { seen: world.server, at: world.now },
    cluster: o.node.lastCluster(),
    storeTrouble: world.store.kind === "unknown" ? world.store.why : undefined,
    config: world.config,
    remote: world.remote,
    lease: o.node.lease().held,
    byPeers: o.node.lease().held !== undefined && o.node.lease().grantor === "peers",
    leaseRenewedAt: o.node.lease().renewedAt,
    fence: o.node.fence(),
    because: { reason: decision.because, detail: decision.detail, since: last.since },
    job: jobOf(world),
    loop: loopOf(last, eventLoopDelayMs),
    lag: o.lag.report(),
    wal: o.lag.wal(),
  };
}

/** Before the first look: nothing is known, and nothing is claimed. */
function blank(o: ViewOptions, eventLoopDelayMs: Ms): Omit<View, "member"> {
  return {
    peer: nobody(o.settings),
    server: undefined,
    slots: [],
    lostSlots: [],
    cluster: undefined,
    storeTrouble: undefined,
    config: DEFAULT_CONFIG,
    remote: undefined,
    lease: undefined,
    byPeers: false,
    leaseRenewedAt: undefined,
    fence: o.node.fence(),
    because: undefined,
    job: undefined,
    lag: o.lag.report(),
    wal: o.lag.wal(),
    loop: {
      lastTickAt: undefined,
      lastTickMs: undefined,
      nextTickAt: o.clock.now(),
      eventLoopDelayMs,
    },
  };
}

function jobOf(world: HaWorld): View["job"] {
  const { job } = world;
  return job === undefined
    ? undefined
    : { name: job.step.kind, progress: job.progress, startedAt: job.startedAt };
}

function loopOf({ world, tookMs }: LastLook, eventLoopDelayMs: Ms): View["loop"] {
  const nextTickAt = after(world.now, world.config.loopWaitMs);
  return { lastTickAt: world.now, lastTickMs: tookMs, nextTickAt, eventLoopDelayMs };
}

/** What a member answers that has not looked yet: it is no candidate for anything. */
const nobody = ({ name, tags }: NodeSettings): PeerStatus => ({
  name,
  role: "uninitialized",
  state: "unknown",
  position: undefined,
  timeline: undefined,
  lineage: [],
  tags,
  unfit: undefined,
  watchdogFailed: false,
  promisedTerm: undefined,
});

function journal(node: Node, limit: number): readonly JournalEntry[] {
  return node.journal
    .entries()
    .slice(-limit)
    .map((e) => ({
      wallMs: e.wallMs,
      because: e.because,
      detail: e.detail,
      step: e.step,
      term: e.world.lease.held?.term,
    }));
}

async function carryOut(o: ViewOptions, request: NodeRequest): Promise<RequestOutcome> {
  switch (request.kind) {
    case "reload":
      return o.reload();
    case "detach":
      o.detach();
      return { kind: "done" };
    case "restart":
      o.node.requestRestart();
      return untilDone(
        o,
        request.timeoutMs ?? REQUEST_LIMIT_MS,
        () => o.node.requests().restart === undefined,
      );
    case "schedule-restart":
      return schedule(o, request.planned);
    case "cancel-restart":
      return schedule(o, undefined);
    case "reinitialise": {
      const world = o.node.last()?.world;
      const isSource = world?.config.standbyCluster === undefined;
      if (isSource && world?.lease.held !== undefined)
        return { kind: "refused", why: "I am the leader, can not reinitialize" };
      o.node.requestReinitialise({
        fromLeader: request.fromLeader,
        cancelsRunning: request.force,
      });
      return { kind: "done" };
    }
    case "drop-slot":
      return dropSlot(o, request.name);
    default:
      return request satisfies never;
  }
}

async function schedule(
  { node }: ViewOptions,
  planned: ScheduledRestart | undefined,
): Promise<RequestOutcome> {
  try {
    await node.scheduleRestart(planned);
    return { kind: "done" };
  } catch (error) {
    const { code, why } = asAppError(error, "NOT_POSSIBLE", "keep the restart for later");
    return { kind: "failed", code, why };
  }
}

/** Asks for it and waits until the world shows that the slot is gone, or why it is not. */
async function dropSlot(o: ViewOptions, name: string): Promise<RequestOutcome> {
  const askedAt = o.clock.now();
  o.node.requestDropSlot(name);
  const failure = (): string | undefined => {
    const last = o.node.last()?.world.outcomes["drop-slot"];
    return last !== undefined && !last.ok && last.at > askedAt ? (last.why ?? "") : undefined;
  };
  const isOver = () => o.node.requests().dropSlot === undefined || failure() !== undefined;
  const outcome = await untilDone(o, DROP_LIMIT_MS, isOver);
  const why = failure();
  o.node.requestDropSlot(undefined);
  return why === undefined ? outcome : { kind: "refused", why };
}

async function untilDone(
  o: ViewOptions,
  limitMs: Ms,
  done: () => boolean,
): Promise<RequestOutcome> {
  const limit = after(o.clock.now(), limitMs);
  while (!done()) {
    if (o.clock.now() >= limit)
      return { kind: "failed", code: "TIMEOUT", why: "it is still under way" };
    await o.clock.sleep(POLL_MS);
  }
  return { kind: "done" };
}
