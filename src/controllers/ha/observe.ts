// How does the ha room look at the world? Everything in parallel, everything bounded; ignorance is an answer.

import type { ClusterSnapshot } from "../../model/cluster.ts";
import type { DynamicConfig } from "../../model/config.ts";
import { AppError } from "../../model/error.ts";
import { type Known, known, unknown } from "../../model/known.ts";
import { rivalMayActAt } from "../../model/lease.ts";
import type { PeerStatus } from "../../model/member.ts";
import { heldAt } from "../../model/pause.ts";
import type { GivenPromise } from "../../model/promise.ts";
import type { LocalServer } from "../../model/server.ts";
import type { StandbyCluster } from "../../model/site.ts";
import { isOurs, type StoreRecord } from "../../model/store-record.ts";
import type { Ms } from "../../model/time.ts";
import { recognised } from "../../model/timeline.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Dcs, HoldSighting } from "../../ports/dcs.ts";
import type { Fence } from "../../ports/fence.ts";
import type { LeaseKeeping } from "../../ports/lease.ts";
import type { NodeStateFile } from "../../ports/node-state.ts";
import type { Peers } from "../../ports/peers.ts";
import type { Postgres, ServerPlan } from "../../ports/postgres.ts";
import type { Job, Outcomes } from "../controller.ts";
import { listen } from "./contact.ts";
import { askPeer } from "./peer-question.ts";
import { lacksWatchdog } from "./plans/fitness.ts";
import { isUnsteady } from "./plans/restarts.ts";
import { branchesOf } from "./plans/standing.ts";
import { strangerToAsk } from "./plans/stranger.ts";
import type { HaStep } from "./steps.ts";
import type { HaMemory, HaWorld, RemoteView, Requests, Self, StrangerServer } from "./world.ts";

export interface HaPorts {
  readonly clock: Clock;
  readonly dcs: Dcs;
  readonly postgres: Postgres;
  readonly fence: Fence;
  readonly peers: Peers;
  readonly lease: LeaseKeeping;
  readonly state: NodeStateFile;
}

/** What lives beside the ports: kept by the node, read at every look. */
export interface HaSurroundings {
  self(): Self;
  requests(): Requests;
  holdSeen(): HoldSighting | undefined;
  /** A linearizable read showed this hold: date it if it is new (R7). */
  sawHold(revision: number): void;
  /** The last good configuration; a snapshot's good one replaces it. */
  config(): DynamicConfig;
  sawCluster(cluster: ClusterSnapshot): void;
  /** Identity and revision of the last snapshot that this agent accepted. */
  lastStore(): StoreRecord | undefined;
  promised(): GivenPromise | undefined;
  /** Whether a member answered when it was asked, and whether it was silent the last time, a short while ago. */
  heard(name: string, answered: boolean): void;
  wasSilent(name: string): boolean;
  planFor(config: DynamicConfig): ServerPlan;
  /** A look at the other site, or what an earlier one saw while it lasts; never waits for long. */
  lookAtSite(site: StandbyCluster): Promise<RemoteView>;
}

const SERVER_LOOK_MS: Ms = 2_000;
/** A host that is gone costs this much at every look until somebody leads. */
const STRANGER_LIMIT_MS: Ms = 1_000;

/** What the loop brings to a look: its own recollection. */
export interface Recollection {
  readonly memory: HaMemory;
  readonly outcomes: Outcomes;
  readonly job: Job<HaStep> | undefined;
}

/** One look at everything the ha room may need to know. */
export async function observe(
  ports: HaPorts,
  around: HaSurroundings,
  { memory, outcomes, job }: Recollection,
): Promise<HaWorld> {
  const plan = around.planFor(around.config());
  // Read before the server is: a position that is shown with the promise was seen after it (R22).
  const { promisedTerm } = ports.state.current();
  const [{ store, contact }, server] = await Promise.all([
    listen(ports, {
      self: around.self().name,
      config: around.config(),
      memory,
      read: (limitMs) => readStore(ports, around, limitMs),
    }),
    ports.postgres.observe(plan, SERVER_LOOK_MS),
  ]);
  const cluster = store.kind === "known" ? store.value : undefined;
  const storeChanged = cluster !== undefined && !isOurStore(ports, around, cluster);
  const trusted = storeChanged ? undefined : cluster;
  const own = { server, memory };
  const { peers, remote, stranger } =
    trusted === undefined ? NOBODY_ASKED : await askOthers(ports, around, trusted, own);
  const wallMs = ports.clock.wallMs();
  const config = heldAt(around.config(), wallMs);
  return {
    now: ports.clock.now(),
    wallMs,
    self: around.self(),
    store: storeChanged
      ? unknown("this is another store, or an older state of it", ports.clock.now())
      : store,
    storeChanged,
    contact,
    config,
    server: trusted === undefined ? server : recognise(server, trusted),
    plan: around.planFor(config),
    lease: ports.lease.view(),
    promised: around.promised(),
    fence: ports.fence.status(),
    holdSeen: around.holdSeen(),
    peers,
    remote,
    stranger,
    job,
    outcomes,
    requests: around.requests(),
    promisedTerm,
    bootstrapping: ports.state.current().bootstrapping === true,
    claimed: outcomes["claim-bootstrap"]?.result === true,
    memory,
  };
}

async function readStore(
  ports: HaPorts,
  around: HaSurroundings,
  limitMs: Ms,
): Promise<Known<ClusterSnapshot>> {
  try {
    const cluster = await ports.dcs.snapshot(limitMs);
    if (isOurStore(ports, around, cluster)) {
      around.sawCluster(cluster);
      if (cluster.hold !== undefined) around.sawHold(cluster.hold.modRevision);
    }
    return known(cluster, ports.clock.now());
  } catch (error) {
    const why = error instanceof AppError ? error.message : String(error);
    return unknown(why, ports.clock.now());
  }
}

/** R31: another cluster id or a lower revision than seen is ignorance, not an empty store, unless it continues ours. */
function isOurStore(ports: HaPorts, around: HaSurroundings, cluster: ClusterSnapshot): boolean {
  // The record beside the data outlives us but is coarse; what this agent has read itself is exact.
  return [ports.state.current().store, around.lastStore()].every((seen) => isOurs(cluster, seen));
}

interface Own {
  readonly server: LocalServer;
  readonly memory: HaMemory;
}

type Others = Pick<HaWorld, "peers" | "remote" | "stranger">;

const NOBODY_ASKED: Others = { peers: {}, remote: undefined, stranger: undefined };

/** Whoever else is to be asked, all at once; at most looks there is nobody, and nothing is waited for. */
async function askOthers(
  ports: HaPorts,
  around: HaSurroundings,
  cluster: ClusterSnapshot,
  own: Own,
): Promise<Others> {
  const site = siteToAsk(ports, around, cluster);
  const led = serverToAsk(ports, cluster, own);
  const mayChoose = mayHaveToChoose(ports, around, cluster, own);
  if (site === undefined && led === undefined && !mayChoose) return NOBODY_ASKED;
  const [peers, remote, stranger] = await Promise.all([
    mayChoose ? askPeers(ports, around, cluster) : {},
    site === undefined ? undefined : around.lookAtSite(site),
    led === undefined ? undefined : askStranger(ports, led),
  ]);
  return { peers, remote, stranger };
}

async function askPeers(
  ports: HaPorts,
  around: HaSurroundings,
  cluster: ClusterSnapshot,
): Promise<Readonly<Record<string, Known<PeerStatus>>>> {
  const others = cluster.members.filter((m) => m.name !== around.self().name && m.apiUrl !== "");
  const answers = await Promise.all(
    others.map(async (member) => [member.name, await askPeer(ports, around, member)] as const),
  );
  return Object.fromEntries(answers);
}

/** Only who streams from over there looks there: the leader, and who may be about to copy it. */
function siteToAsk(
  ports: HaPorts,
  around: HaSurroundings,
  { initialize }: ClusterSnapshot,
): StandbyCluster | undefined {
  const site = around.config().standbyCluster;
  const isDue = ports.lease.view().held !== undefined || initialize.value === undefined;
  return isDue ? site : undefined;
}

/** Data that another agent kept until now is on the branches that the store knows, if number and fork agree. */
function recognise(server: LocalServer, cluster: ClusterSnapshot): LocalServer {
  const lineage = recognised(server.lineage, branchesOf(cluster));
  return lineage === server.lineage ? server : { ...server, lineage };
}

/** R35: whoever may lead after an agent that is none of ours asks that agent's server itself, at every look. */
function serverToAsk(
  ports: HaPorts,
  cluster: ClusterSnapshot,
  { server, memory }: Own,
): StrangerServer | undefined {
  const { leader } = cluster;
  const upstream = server.sql.kind === "known" ? server.sql.value.upstream : undefined;
  const led = strangerToAsk(cluster, memory, upstream);
  const isOpen = leader === undefined || leader.term === ports.lease.view().held?.term;
  const isStandby = server.sql.kind === "known" && server.sql.value.inRecovery;
  return isOpen && isStandby ? led : undefined;
}

async function askStranger(
  ports: HaPorts,
  { host, port }: StrangerServer,
): Promise<Known<boolean>> {
  const site = { host, port, slot: undefined, restoreCommand: undefined, applyDelay: undefined };
  try {
    const { takesWrites } = await ports.postgres.lookAtSite(site, STRANGER_LIMIT_MS);
    return known(takesWrites, ports.clock.now());
  } catch (error) {
    const why = error instanceof AppError ? error.why : String(error);
    return unknown(why, ports.clock.now());
  }
}

/** Positions are asked only when somebody may have to be chosen: they cost a request to every member. */
function mayHaveToChoose(
  ports: HaPorts,
  around: HaSurroundings,
  cluster: ClusterSnapshot,
  { server, memory }: Own,
): boolean {
  const { leader, hold } = cluster;
  const held = ports.lease.view().held;
  if (leader === undefined || around.requests().stopping !== undefined) return true;
  if (leader.term === held?.term) {
    const isSite = around.config().standbyCluster !== undefined;
    const settled = server.sql.kind === "known" && (isSite || !server.sql.value.inRecovery);
    // Whoever may have to give way looks for a successor before it stops.
    const mayGive =
      isUnsteady(memory, ports.clock.now()) ||
      memory.diskFullSince !== undefined ||
      lacksWatchdog({ self: around.self(), fence: ports.fence.status() });
    return !settled || mayGive || cluster.failover.value !== undefined;
  }
  const seen = around.holdSeen();
  return (
    hold !== undefined &&
    seen !== undefined &&
    ports.clock.now() >= rivalMayActAt(seen.seenAt, hold.holdMs)
  );
}
