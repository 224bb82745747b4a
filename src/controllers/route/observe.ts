// How does the route room look at the world? Ignorance is an answer.
import type { ClusterSnapshot, StoreHeader } from "../../model/cluster.ts";
import { memberNamed } from "../../model/cluster.ts";
import { AppError } from "../../model/error.ts";
import { type Known, known, unknown } from "../../model/known.ts";
import type { PeerStatus } from "../../model/member.ts";
import type { Instant, Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Dcs } from "../../ports/dcs.ts";
import type { Lookout } from "../../ports/lookout.ts";
import type { Peers } from "../../ports/peers.ts";
import type { Outcomes } from "../controller.ts";
import { ASK_LIMIT_MS, READ_LIMIT_MS } from "./limits.ts";
import { isPointed } from "./plans/standing.ts";
import type { RouteMemory, RouterSelf, RouteWorld } from "./world.ts";

export interface RoutePorts {
  readonly clock: Clock;
  readonly dcs: Dcs;
  readonly peers: Peers;
  readonly lookout: Lookout;
}

/** What lives beside the ports: kept by the node, read at every look. */
export interface RouteSurroundings {
  readonly self: RouterSelf;
  stopping(): boolean;
  ttlMs(): Ms;
  /** The last snapshot that was accepted, and when it was read. */
  lastSeen(): { readonly seen: ClusterSnapshot; readonly at: Instant } | undefined;
  sawCluster(cluster: ClusterSnapshot): void;
}

/** One look at everything the route room may need to know. */
export async function observe(
  ports: RoutePorts,
  around: RouteSurroundings,
  memory: RouteMemory,
  outcomes: Outcomes,
): Promise<RouteWorld> {
  const lostSince = ports.lookout.lostSince();
  const store = await storeOf(ports, around, memory, lostSince);
  const cluster = store.kind === "known" ? store.value : undefined;
  return {
    now: ports.clock.now(),
    self: around.self,
    ttlMs: around.ttlMs(),
    leaderSays: cluster && (await askLeader(ports, { memory, cluster, lostSince })),
    lostSince,
    store,
    stopping: around.stopping(),
    outcomes,
    memory,
  };
}

/** A primary that has just been lost is acted on with what is known already: a pause must not wait for the store. */
async function storeOf(
  ports: RoutePorts,
  around: RouteSurroundings,
  memory: RouteMemory,
  lostSince: Instant | undefined,
): Promise<Known<ClusterSnapshot>> {
  const last = around.lastSeen();
  const isNews = lostSince !== undefined && memory.trouble === undefined;
  if (isNews && last !== undefined) return known(last.seen, last.at);
  try {
    const cluster = await ports.dcs.snapshot(READ_LIMIT_MS);
    if (!isOurs(cluster.header, last?.seen.header))
      return unknown("this is another store, or an older state of it", ports.clock.now());
    around.sawCluster(cluster);
    return known(cluster, ports.clock.now());
  } catch (error) {
    const why = error instanceof AppError ? error.message : String(error);
    return unknown(why, ports.clock.now());
  }
}

/** R31: another cluster id or a lower revision than seen is ignorance. */
const isOurs = (now: StoreHeader, before: StoreHeader | undefined): boolean =>
  before === undefined || (now.clusterId === before.clusterId && now.revision >= before.revision);

interface Doubt {
  readonly memory: RouteMemory;
  readonly cluster: ClusterSnapshot;
  readonly lostSince: Instant | undefined;
}

/**
 * Asked after the store has named it, and only while clients are not sent to it, or wait and its server is there. Nobody
 * waits for the answer of a host that may be dead.
 */
async function askLeader(
  { peers }: RoutePorts,
  { memory, cluster, lostSince }: Doubt,
): Promise<Known<PeerStatus> | undefined> {
  const { leader } = cluster;
  const member = leader === undefined ? undefined : memberNamed(cluster, leader.name);
  if (member === undefined || member.apiUrl === "") return undefined;
  const mayGoOn = memory.pause !== undefined && lostSince === undefined;
  if (isPointed(cluster, memory) && !mayGoOn) return undefined;
  return peers.ask(member.apiUrl, ASK_LIMIT_MS);
}
