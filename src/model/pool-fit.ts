// Do the pools fit into the servers that they lead to?

import type { Route } from "./route.ts";
import type { PgbouncerSettings } from "./router-settings.ts";

/** PostgreSQL's own default, where the configuration does not say. */
const USUAL_CONNECTIONS = 100;
/** Kept for superusers by default; the agents and their replication need some too. */
const KEPT_BACK = 10;

/**
 * What does not fit, one sentence each. A pool is made for each user, and only databases and processes are known
 * beforehand: so this finds the pools that are too large already for one user.
 */
export function poolsThatDoNotFit(
  settings: PgbouncerSettings,
  parameters: Readonly<Record<string, string>>,
): readonly string[] {
  const limit = Number(parameters["max_connections"] ?? USUAL_CONNECTIONS);
  const largest = largestOf(settings);
  if (!Number.isFinite(limit) || largest.size + KEPT_BACK <= limit) return [];
  return [
    `the pools of the route ${largest.route} may take ${largest.size} connections for one user, max_connections is ${limit}: ` +
      "make pool_size smaller, or max_connections larger",
  ];
}

/** On the server that it leads to; one standby may have to serve all readers. */
function largestOf(settings: PgbouncerSettings): { readonly route: Route; readonly size: number } {
  const sizes = new Map<Route, number>();
  for (const { route, poolSize, reservePool } of Object.values(settings.databases)) {
    const size = settings.processes * ((poolSize ?? settings.poolSize) + (reservePool ?? 0));
    sizes.set(route, (sizes.get(route) ?? 0) + size);
  }
  const [first] = [...sizes].toSorted(([, a], [, b]) => b - a);
  return { route: first?.[0] ?? "write", size: first?.[1] ?? 0 };
}
