// Lies about the server.
import { known } from "../model/known.ts";
import type { LocalServer } from "../model/server.ts";
import type { Lineage } from "../model/timeline.ts";
import { parseLineage } from "../model/wire/dcs.ts";
import type { NodePorts } from "../node/node.ts";
import type { Clock } from "../ports/clock.ts";
import type { Postgres } from "../ports/postgres.ts";
import type { Store } from "../ports/store.ts";
import type { SimCluster } from "./cluster.ts";
import type { SimHost } from "./host.ts";
import { storeWith } from "./mutants-store.ts";

/** A Postgres whose looks are retouched, and some of whose verbs are replaced. */
export function postgresWith(
  postgres: Postgres,
  retouch: (server: LocalServer) => LocalServer,
  change: Partial<Postgres> = {},
): Postgres {
  const real = new Proxy(postgres, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const observe: Postgres["observe"] = async (plan, timeoutMs) =>
    retouch(await postgres.observe(plan, timeoutMs));
  return new Proxy(real, {
    get: (target, name) =>
      name === "observe" ? observe : (Reflect.get(change, name) ?? Reflect.get(target, name)),
  });
}

/** Orphan backends left: a dead postmaster is taken for a dead server. */
export function leavesOrphans(ports: NodePorts): NodePorts {
  const retouch = (server: LocalServer): LocalServer =>
    server.process.kind === "orphans" ? { ...server, process: { kind: "down" } } : server;
  return { ...ports, postgres: postgresWith(ports.postgres, retouch) };
}

/** Record left behind: which history a standby is on is written down only while it streams and the store answers. */
export function leavesRecordBehind(ports: NodePorts): NodePorts {
  const { postgres, store } = ports;
  let isAway = false;
  let isStreaming = false;
  const retouch = (server: LocalServer): LocalServer => {
    isStreaming = server.sql.kind === "known" && server.sql.value.walReceiver !== undefined;
    return server;
  };
  const range: Store["range"] = async (prefix, options) => {
    isAway = true;
    const answer = await store.range(prefix, options);
    isAway = false;
    return answer;
  };
  const recordLineage: Postgres["recordLineage"] = async (lineage, signal) =>
    isAway || !isStreaming ? undefined : postgres.recordLineage(lineage, signal);
  return {
    ...ports,
    store: storeWith(store, { range }),
    postgres: postgresWith(postgres, retouch, { recordLineage }),
  };
}

/** WAL not looked at: a standby whose walreceiver has gone with its primary is on the timeline of its last checkpoint. */
export function seesNoWalFiles(ports: NodePorts): NodePorts {
  const retouch = (server: LocalServer): LocalServer => {
    const { sql, control } = server;
    if (sql.kind !== "known" || !sql.value.inRecovery || sql.value.walReceiver !== undefined)
      return server;
    const timeline = control?.timeline ?? sql.value.timeline;
    return { ...server, sql: known({ ...sql.value, timeline }, sql.at) };
  };
  return { ...ports, postgres: postgresWith(ports.postgres, retouch) };
}

const EARLY_MS = 600;

/** Release before PostgreSQL is down: a stop that was asked for is taken for one that has happened. */
export function saysDownTooEarly(ports: NodePorts): NodePorts {
  const { postgres, clock } = ports;
  let liesUntil = 0;
  const retouch = (server: LocalServer): LocalServer => {
    if (clock.now() >= liesUntil || server.sql.kind !== "known") return server;
    const end = server.sql.value.position;
    const control = server.control && {
      ...server.control,
      state: "shut down" as const,
      checkpointEnd: end,
    };
    return { ...server, control, process: { kind: "down" } };
  };
  const stop: Postgres["stop"] = (timeoutMs, onShutdown, signal) => {
    liesUntil = clock.now() + EARLY_MS;
    void clock
      .sleep(EARLY_MS)
      .then(() => postgres.stop(timeoutMs, onShutdown, signal))
      .catch(() => undefined);
    return Promise.resolve();
  };
  return { ...ports, postgres: postgresWith(postgres, retouch, { stop }) };
}

function lineageIn({ store }: SimCluster): Lineage {
  const text = store.state.keys.get("/service/demo/lineage")?.value;
  return text === undefined ? [] : (parseLineage(text) ?? []);
}

/** Reserved is taken for recorded: a promotion counts as finished from the reservation of its timeline on. */
export function takesReservedForDone(
  ports: NodePorts,
  _host: SimHost,
  cluster: SimCluster,
): NodePorts {
  const retouch = (server: LocalServer): LocalServer => {
    const mine = ports.fence.status().armed?.term;
    const reserved = lineageIn(cluster).filter((branch) => branch.term === mine);
    return { ...server, lineage: [...server.lineage, ...reserved] };
  };
  return { ...ports, postgres: postgresWith(ports.postgres, retouch) };
}

/** Timeline not checked: every member takes its data for the cluster's newest branch. */
export function trustsTimelines(ports: NodePorts, _host: SimHost, cluster: SimCluster): NodePorts {
  const retouch = (server: LocalServer): LocalServer => {
    const lineage = lineageIn(cluster);
    return lineage.length === 0 || server.lineage.length === 0 ? server : { ...server, lineage };
  };
  return { ...ports, postgres: postgresWith(ports.postgres, retouch) };
}

/** Marker forgotten: a directory that is half rebuilt looks like any other. */
export function forgetsMarker(ports: NodePorts): NodePorts {
  const retouch = (server: LocalServer): LocalServer =>
    server.directory === "marked" ? { ...server, directory: "data" } : server;
  return { ...ports, postgres: postgresWith(ports.postgres, retouch) };
}

/** Follows without end: a standby never sees that it follows whom it was told to follow. */
export function followsWithoutEnd(ports: NodePorts): NodePorts {
  const retouch = (server: LocalServer): LocalServer => {
    const { sql } = server;
    if (sql.kind !== "known" || !sql.value.inRecovery) return server;
    return { ...server, sql: known({ ...sql.value, upstream: "elsewhere:5432" }, sql.at) };
  };
  return { ...ports, postgres: postgresWith(ports.postgres, retouch) };
}

/** Waits for ever: no deadline ever comes, and a statement hangs until it is given up. */
export function hasNoLimits(ports: NodePorts): NodePorts {
  const { clock } = ports;
  const deadline: Clock["deadline"] = (_ms, signal) => {
    const controller = new AbortController();
    signal?.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
    return { signal: controller.signal, [Symbol.dispose]: () => undefined };
  };
  return { ...ports, clock: { ...clock, deadline }, postgres: hangingFollow(ports.postgres) };
}

function hangingFollow(postgres: Postgres): Postgres {
  const follow: Postgres["follow"] = (_upstream, signal) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  return postgresWith(postgres, (server) => server, { follow });
}

/** Resets not counted: the server looks as if it had shared one memory all its life. */
export function seesNoReset(ports: NodePorts): NodePorts {
  const retouch = (server: LocalServer): LocalServer =>
    server.sql.kind === "unknown"
      ? server
      : { ...server, sql: { ...server.sql, value: { ...server.sql.value, sharedSinceText: "" } } };
  return { ...ports, postgres: postgresWith(ports.postgres, retouch) };
}

/** An error taken for an answer: a server that refuses everybody looks busy. */
export function takesErrorsForLife(ports: NodePorts): NodePorts {
  const retouch = (server: LocalServer): LocalServer =>
    server.process.kind === "running" && server.process.accepting === "failing"
      ? { ...server, process: { ...server.process, accepting: "yes" } }
      : server;
  return { ...ports, postgres: postgresWith(ports.postgres, retouch) };
}

/** Free space not looked at. */
export function seesNoFullDisk(ports: NodePorts): NodePorts {
  const retouch = (server: LocalServer): LocalServer => ({ ...server, diskFreeBytes: undefined });
  return { ...ports, postgres: postgresWith(ports.postgres, retouch) };
}

/** Impatient: a promotion gets no more time than the first one was given. */
export function neverMorePatient(ports: NodePorts): NodePorts {
  const { postgres } = ports;
  let first: number | undefined;
  const promote: Postgres["promote"] = (branch, timeoutMs, signal) => {
    first ??= timeoutMs;
    return postgres.promote(branch, first, signal);
  };
  return { ...ports, postgres: postgresWith(postgres, (server) => server, { promote }) };
}
