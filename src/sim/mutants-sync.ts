// Lies about synchronous replication, and the mutants that are made of them.
import { valueOf } from "../model/known.ts";
import type { LocalServer } from "../model/server.ts";
import type { NodePorts } from "../node/node.ts";
import type { Postgres } from "../ports/postgres.ts";
import type { Write } from "../ports/store.ts";
import type { Fault } from "../scenario/verbs.ts";
import type { Mutant } from "./mutant.ts";
import { postgresWith } from "./mutants-postgres.ts";
import { isFor, storeWith } from "./mutants-store.ts";

/** Sync believed from the view: what the asking session shows is taken for what every process goes by (R20). */
export function believesTheView(ports: NodePorts): NodePorts {
  const { postgres } = ports;
  const proveClosed: Postgres["proveClosed"] = async (timeoutMs, signal) => {
    const gate = await postgres.proveClosed(0, signal);
    if (gate.kind === "closed") return gate;
    const server = await postgres.observe(
      { parameters: {}, pgHba: [], pgIdent: [], members: 0 },
      timeoutMs,
    );
    const sql = valueOf(server.sql);
    return sql === undefined ? gate : { kind: "closed", end: sql.position };
  };
  return { ...ports, postgres: postgresWith(postgres, (server) => server, { proveClosed }) };
}

/** Published too early: a standby is trusted before it has what was acknowledged without it (R21). */
export function publishesTooEarly(ports: NodePorts): NodePorts {
  const retouch = (server: LocalServer): LocalServer => {
    if (server.sql.kind !== "known") return server;
    const { position, senders } = server.sql.value;
    const ahead = senders.map((sender) => ({ ...sender, flushLsn: position }));
    return { ...server, sql: { ...server.sql, value: { ...server.sql.value, senders: ahead } } };
  };
  return { ...ports, postgres: postgresWith(ports.postgres, retouch) };
}

/** Quorum off by one: a candidate is elected by one vote less than the names ask for. */
export function countsOneVoteLess(ports: NodePorts): NodePorts {
  const fewer = (w: Write): Write =>
    w.kind === "put" && isFor(w, "sync")
      ? { ...w, value: w.value.replace(/"quorum":([1-9])/, (_, n) => `"quorum":${Number(n) - 1}`) }
      : w;
  const { store } = ports;
  return {
    ...ports,
    store: storeWith(store, {
      commit: (compares, writes, options) => store.commit(compares, writes.map(fewer), options),
    }),
  };
}

/** `/sync` without the term: a deposed leader still says who may be elected (R13). */
export function writesSyncWithoutTerm(ports: NodePorts): NodePorts {
  const { store } = ports;
  const isSync = (writes: readonly Write[]): boolean => writes.every((w) => isFor(w, "sync"));
  return {
    ...ports,
    store: storeWith(store, {
      commit: (compares, writes, options) =>
        store.commit(isSync(writes) ? [] : compares, writes, options),
    }),
  };
}

/** Voters not revoked: a standby that gives its vote says that it receives nothing, and goes on receiving (R22). */
export function votesAndReceives(ports: NodePorts): NodePorts {
  const { postgres } = ports;
  let isSecret = false;
  const follow: Postgres["follow"] = (upstream, signal) => {
    isSecret = upstream === undefined;
    return isSecret ? Promise.resolve() : postgres.follow(upstream, signal);
  };
  const retouch = (server: LocalServer): LocalServer => {
    if (!isSecret || server.sql.kind !== "known") return server;
    const value = { ...server.sql.value, walReceiver: undefined, upstream: undefined };
    return { ...server, sql: { ...server.sql, value } };
  };
  return { ...ports, postgres: postgresWith(postgres, retouch, { follow }) };
}

/**
 * The standby that commits wait for dies, so the leader changes `sync`, over a way to the store on which requests take
 * long; and while they are under way its lease ends. Each round at another moment of the change.
 */
function deposedWithSyncUnderWay(): readonly Fault[] {
  const rounds = Array.from({ length: 12 }, (_, i) => ({ atMs: 40_000 + i * 40_000, step: i }));
  return rounds.flatMap(({ atMs, step }): readonly Fault[] => [
    { atMs, forMs: 6_000, verb: { do: "slowStore", node: "primary", delayMs: 500, askShare: 1 } },
    { atMs, forMs: 6_000, verb: { do: "killPostmaster", node: "standby" } },
    { atMs: atMs + 500 + step * 200, verb: { do: "revokeLease", node: "primary" } },
  ]);
}

export const SYNC_MUTANTS: readonly Mutant[] = [
  {
    name: "sync-believed-from-view",
    flaws: { wrapPorts: believesTheView },
    breaks: ["S2"],
    nodes: 2,
    faults: Array.from({ length: 20 }, (_, i) => ({
      atMs: 40_000 + i * 25_000,
      forMs: 8_000,
      verb: { do: "killHost", node: "standby" },
    })),
    config: { ttl: 5, loop_wait: 1, synchronous_mode: "on" },
  },
  {
    name: "sync-published-too-early",
    flaws: { wrapPorts: publishesTooEarly },
    breaks: ["S2"],
    hunts: ["killHost", "slowStandby", "killPostmaster"],
    config: { ttl: 5, loop_wait: 1, synchronous_mode: "on" },
  },
  {
    name: "quorum-off-by-one",
    flaws: { wrapPorts: countsOneVoteLess },
    breaks: ["S2"],
    hunts: ["killHost", "slowStandby", "cutFromPeers"],
    config: { ttl: 5, loop_wait: 1, synchronous_mode: "quorum" },
  },
  {
    name: "voters-not-revoked",
    flaws: { wrapPorts: votesAndReceives },
    breaks: ["S2"],
    story: "quorum-primary-unguarded",
  },
  {
    name: "warning-taken-for-promise",
    flaws: { clients: { takeWarningForPromise: true } },
    breaks: ["S2"],
    story: "cancelled-waits",
  },
  {
    name: "sync-without-term",
    flaws: { wrapPorts: writesSyncWithoutTerm },
    breaks: ["S10"],
    faults: deposedWithSyncUnderWay(),
    config: { ttl: 5, loop_wait: 1, synchronous_mode: "on" },
  },
];
