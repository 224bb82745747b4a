// What does a look at the pooler say, in the words of REST and of a person?
import { printSpan } from "../../model/amounts.ts";
import { printAddress } from "../../model/settings-address.ts";
import type { PoolProcessRow, PoolRow, PoolsJson, PoolTrafficRow } from "../../model/wire/pools.ts";
import type { PoolerLook, PoolerProcess } from "../../ports/pooler.ts";

/** So many of the clients that it takes are there that soon the next one is refused. */
const NEARLY_FULL = 0.9;

export function poolsJson(
  { processes, problems }: PoolerLook,
  { router, asOf }: { readonly router: string; readonly asOf: string },
): PoolsJson {
  const items = processes.flatMap(rowsOf);
  const all = processes.map(processRow);
  return {
    apiVersion: "understudy/v1",
    kind: "Pools",
    asOf,
    router,
    warnings: [...problems, ...all.flatMap(crowdOf), ...items.flatMap(queueOf)],
    processes: all,
    traffic: processes.flatMap(trafficOf),
    items,
  };
}

const rowsOf = ({ pid, paused, pools, points }: PoolerProcess): readonly PoolRow[] =>
  pools.map((pool) => {
    const at = points[pool.database];
    return { ...pool, pid, paused, leadsTo: at === undefined ? "nowhere" : printAddress(at) };
  });

const trafficOf = ({ pid, traffic }: PoolerProcess): readonly PoolTrafficRow[] =>
  traffic.map((row) => ({ ...row, pid }));

const processRow = ({ pools, memoryBytes, ...process }: PoolerProcess): PoolProcessRow => ({
  pid: process.pid,
  version: process.version,
  paused: process.paused,
  clients: pools.reduce(
    (sum, { clientsActive, clientsWaiting }) => sum + clientsActive + clientsWaiting,
    0,
  ),
  maxClients: process.maxClients,
  memoryBytes: memoryBytes ?? null,
});

function crowdOf({ clients, maxClients }: PoolProcessRow): readonly string[] {
  if (clients < maxClients * NEARLY_FULL) return [];
  return [
    `${clients} of at most ${maxClients} clients are there: raise max_client_conn, or find who keeps them`,
  ];
}

/** Waiting is what a pool is for; it is worth a word when the pool is what they wait for. */
function queueOf(row: PoolRow): readonly string[] {
  const { clientsWaiting, serversActive, size, paused } = row;
  if (clientsWaiting === 0 || paused || serversActive < size) return [];
  const wait = printSpan(row.longestWaitMs);
  return [
    `${row.database}: ${clientsWaiting} clients of ${row.user} wait, the first for ${wait}: all ${size} connections are in use`,
  ];
}
