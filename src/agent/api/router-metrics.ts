// Which numbers does a router's `/metrics` carry?
import { Gauge, Registry } from "prom-client";
import { between, type Ms } from "../../model/time.ts";
import type { Router } from "../../node/router.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PoolNumbers } from "../../ports/pooler.ts";

const LOOK_LIMIT_MS: Ms = 2_000;

interface Sample {
  readonly router: Router;
  readonly clock: Clock;
}

interface RouterMetric {
  readonly name: string;
  readonly type: "gauge";
  readonly help: string;
  readonly read: (sample: Sample) => number | undefined;
}

interface PoolMetric {
  readonly name: string;
  readonly type: "gauge";
  readonly help: string;
  readonly of: (pool: PoolNumbers) => number;
  /** How the pools of one database become one number: of users and of processes. */
  readonly join: (a: number, b: number) => number;
}

const gauge = (name: string, help: string, read: RouterMetric["read"]): RouterMetric => ({
  name,
  type: "gauge",
  help,
  read,
});
const sum = (a: number, b: number): number => a + b;

const poolGauge = (name: string, help: string, of: PoolMetric["of"]): PoolMetric => ({
  name,
  type: "gauge",
  help,
  of,
  join: sum,
});

const memoryOf = ({ router }: Sample) => router.last()?.decision.memory;

export const ROUTER_METRICS: readonly RouterMetric[] = [
  gauge("understudy_router_term", "term of the routes in force", (s) => memoryOf(s)?.applied?.term),
  gauge("understudy_router_has_primary", "writers are sent to a primary", (s) =>
    memoryOf(s)?.applied?.write === undefined ? 0 : 1,
  ),
  gauge("understudy_router_paused", "clients are made to wait", (s) =>
    memoryOf(s)?.pause === undefined ? 0 : 1,
  ),
  gauge(
    "understudy_router_readers",
    "standbys that get new readers",
    (s) => memoryOf(s)?.applied?.reads.filter(({ state }) => state === "ready").length,
  ),
  gauge(
    "understudy_router_false_alarms",
    "pauses of the last minute without a new primary",
    (s) => memoryOf(s)?.alarms.length,
  ),
  gauge("understudy_router_store_age_seconds", "time since the store was last read", (s) => {
    const readAt = memoryOf(s)?.storeReadAt;
    return readAt === undefined ? undefined : between(readAt, s.clock.now()) / 1000;
  }),
];

/** By database, over its users and all processes. */
export const POOL_METRICS: readonly PoolMetric[] = [
  poolGauge("understudy_pool_clients_active", "clients with a server", (p) => p.clientsActive),
  poolGauge("understudy_pool_clients_waiting", "clients that wait", (p) => p.clientsWaiting),
  poolGauge("understudy_pool_servers_active", "servers in use", (p) => p.serversActive),
  poolGauge("understudy_pool_servers_idle", "servers at rest", (p) => p.serversIdle),
  poolGauge("understudy_pool_size", "servers that its pools may have", (p) => p.size),
  {
    ...poolGauge(
      "understudy_pool_longest_wait_seconds",
      "longest wait of a client",
      (p) => p.longestWaitMs / 1000,
    ),
    join: Math.max,
  },
];

/** The text of a router's `/metrics`; every sample names the cluster and the router. */
export async function renderRouterMetrics(
  router: Router,
  scope: string,
  clock: Clock,
): Promise<string> {
  using limit = clock.deadline(LOOK_LIMIT_MS);
  const registry = new Registry();
  registry.setDefaultLabels({ scope, name: router.self.name });
  for (const { name, help, read } of ROUTER_METRICS) {
    const value = read({ router, clock });
    if (value !== undefined) new Gauge({ name, help, registers: [registry] }).set(value);
  }
  const look = await router.pooler?.look(limit.signal).catch(() => undefined);
  const pools = look?.processes.flatMap((process) => process.pools) ?? [];
  for (const { name, help, of, join } of POOL_METRICS) {
    const series = new Gauge({ name, help, labelNames: ["database"], registers: [registry] });
    const values = new Map<string, number>();
    for (const pool of pools)
      values.set(pool.database, join(values.get(pool.database) ?? 0, of(pool)));
    for (const [database, value] of values) series.set({ database }, value);
  }
  return await registry.metrics();
}
