// Verbs on what lies between the hosts: links, and the store.
import type { Verb } from "../scenario/verbs.ts";
import { OUTSIDE, type SimCluster } from "./cluster.ts";
import { hostFor, nothing, type Undo } from "./fault-target.ts";
import type { SimHost } from "./host.ts";
import { emptyContents, type StoreContents } from "./store-state.ts";

/** Cuts both directions between a host and others. */
function cutAll(cluster: SimCluster, host: string, others: readonly string[]): Undo {
  const links = others
    .filter((o) => o !== host)
    .flatMap((o) => [[host, o] as const, [o, host] as const]);
  for (const [from, to] of links) cluster.network.cut(from, to);
  return () => {
    for (const [from, to] of links) cluster.network.mend(from, to);
  };
}

export function playOnNetworkOrStore(
  cluster: SimCluster,
  verb: Verb,
  host: SimHost | undefined,
): Undo {
  if (host !== undefined) return playOnPath(cluster, verb, host);
  switch (verb.do) {
    case "cutOneWay": {
      const from = hostFor(cluster, verb.from)?.name ?? verb.from;
      const to = hostFor(cluster, verb.to)?.name ?? verb.to;
      if (from === to) return nothing;
      cluster.network.cut(from, to);
      return () => cluster.network.mend(from, to);
    }
    case "partition":
      return part(cluster, verb.nodes);
    case "storeDown":
      for (const i of cluster.store.members.keys()) cluster.store.setUp(i, false);
      return () => {
        for (const i of cluster.store.members.keys()) cluster.store.setUp(i, true);
      };
    case "storeLeaderKill":
      return onStoreLeader(cluster, (i, isOver) => cluster.store.setUp(i, isOver));
    case "storeLeaderPause":
      return onStoreLeader(cluster, (i, isOver) => cluster.store.setPaused(i, !isOver));
    case "storeNoSpace":
      cluster.store.raiseSpaceAlarm(true);
      return () => cluster.store.raiseSpaceAlarm(false);
    case "otherStore":
      return exchange(cluster, emptyContents("another"));
    case "olderStore":
      return exchange(cluster, oldEnough(cluster));
    case "loseStore":
      return loseStore(cluster);
    case "eraseInitialize":
      return eraseInitialize(cluster);
    case "storeCompact":
      cluster.store.state.compact();
      return nothing;
    default:
      throw new Error(`not a verb of networks or stores: ${verb.do}`);
  }
}

/** The room falls into two parts. A store member without a node on its host is on the side that is not named. */
function part(cluster: SimCluster, nodes: readonly string[]): Undo {
  const named = nodes.flatMap((node) => hostFor(cluster, node)?.name ?? []);
  const members = cluster.store.members.map(({ address, host }) => ({ address, host }));
  const all = [...[...cluster.hosts.keys()].map((host) => ({ address: host, host })), ...members];
  const isNamed = ({ host }: { readonly host: string }): boolean => named.includes(host);
  const others = all.filter((one) => !isNamed(one)).map(({ address }) => address);
  const undos = all.filter(isNamed).map(({ address }) => cutAll(cluster, address, others));
  // Each has somebody who cannot ask it meanwhile.
  const change = (by: 1 | -1): void => {
    for (const host of cluster.hosts.values()) host.disturb("server", by);
  };
  change(1);
  return () => {
    change(-1);
    for (const undo of undos) undo();
  };
}

const TRIED_AGAIN_MS = 2_000;

/** The key is gone until a person puts it back as it was, and tries again while the store refuses. */
function eraseInitialize({ store }: SimCluster): Undo {
  const key = "/service/demo/initialize";
  const value = store.state.keys.get(key)?.value;
  if (value === undefined || store.isForeign) return nothing;
  store.meddle((state) => state.commit([], [{ kind: "delete", key }]));
  const putBack = (): void => {
    if (!store.isForeign) store.meddle((state) => state.commit([], [{ kind: "put", key, value }]));
    if (store.isForeign || !store.state.keys.has(key)) store.kernel.after(TRIED_AGAIN_MS, putBack);
  };
  return putBack;
}

/** A node remembers the store's revision on disk only now and then, so a backup younger than this is not noticed. */
const REMEMBERED_WITHIN = 250;

/** Who has not looked at the store since the backup cannot tell it from the store itself: nobody could. */
function oldEnough({ kernel, store }: SimCluster): StoreContents | undefined {
  const { backup, state } = store;
  if (backup === undefined || kernel.now < backup.isOldFromMs) return undefined;
  const { contents } = backup;
  return state.revision - contents.revision > REMEMBERED_WITHIN ? contents : undefined;
}

/** Something else answers for a while; then the true store is back as it was, with its leases begun anew. */
function exchange(cluster: SimCluster, contents: StoreContents | undefined): Undo {
  const { store } = cluster;
  if (contents === undefined || store.isForeign) return nothing;
  const own = store.state.contents();
  store.isForeign = true;
  store.load(contents);
  return () => {
    store.isForeign = false;
    store.load(own);
  };
}

/** What answers is another store, until the member that led last has told it what it needs to know. */
function loseStore({ store }: SimCluster): Undo {
  if (store.isForeign) return nothing;
  store.isForeign = true;
  store.load(emptyContents("anew"));
  return nothing;
}

function onStoreLeader(
  cluster: SimCluster,
  change: (index: number, isOver: boolean) => void,
): Undo {
  const { store } = cluster;
  const index = store.leader === undefined ? -1 : store.members.indexOf(store.leader);
  if (index < 0) return nothing;
  change(index, false);
  return () => change(index, true);
}

/** The cable is pulled: a store member on the same host is cut off with it, and stays reachable from it. */
function isolate(cluster: SimCluster, host: SimHost, own: string | undefined): Undo {
  const away = cluster.store.members.map((m) => m.address).filter((a) => a !== own);
  const peers = [...cluster.hosts.keys()].filter((p) => p !== host.name);
  const undoHost = cutAll(cluster, host.name, [...peers, ...away, OUTSIDE]);
  const undoMember =
    own === undefined ? nothing : cutAll(cluster, own, [...peers, ...away, OUTSIDE]);
  return () => {
    undoHost();
    undoMember();
  };
}

function playOnPath(cluster: SimCluster, verb: Verb, host: SimHost): Undo {
  const path = cluster.paths.get(host.name);
  const peers = [...cluster.hosts.keys()];
  const members = cluster.store.members.map((m) => m.address);
  const own = cluster.store.members.find((m) => m.host === host.name)?.address;
  if (path === undefined) return nothing;
  switch (verb.do) {
    case "cutFromStore":
      return cutAll(cluster, host.name, members);
    case "cutFromPeers":
      return cutAll(cluster, host.name, peers);
    case "cutFromClients":
      return cutAll(cluster, host.name, [OUTSIDE]);
    case "isolate":
      return isolate(cluster, host, own);
    case "revokeLease":
      cluster.store.meddle((state) => {
        const { leaseId } = host.disk.nodeState;
        if (leaseId !== undefined) state.revoke(leaseId);
      });
      return nothing;
    case "loseAnswers":
      path.loseAnswers = verb.share;
      return () => {
        path.loseAnswers = 0;
      };
    case "applyLate":
      path.applyLate = verb.share;
      return () => {
        path.applyLate = 0;
      };
    case "watchLag":
      path.watchLagMs = verb.lagMs;
      return () => {
        path.watchLagMs = 0;
      };
    case "slowStore":
      path.delayMs = verb.delayMs;
      path.askShare = verb.askShare ?? cluster.dice.pick([0, 0.5, 1]);
      return () => {
        path.delayMs = 0;
      };
    case "watchSilent":
      path.watchSilent = true;
      return () => {
        path.watchSilent = false;
        cluster.network.changed();
      };
    default:
      throw new Error(`not a verb of paths: ${verb.do}`);
  }
}
