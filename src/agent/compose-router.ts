// Which real programs does a router run? Wiring, and nothing else.
import { createBalancer } from "../adapters/haproxy/balancer.ts";
import { createLookout } from "../adapters/lookout/lookout.ts";
import { createPgbouncer } from "../adapters/pgbouncer/pgbouncer.ts";
import type { RouterSettings } from "../model/router-settings.ts";
import type { AgentSettings } from "../model/settings.ts";
import { printAddress } from "../model/settings-address.ts";
import { VERSION } from "../model/version.ts";
import { createRouter, type Router, type RouterPorts } from "../node/router.ts";
import { apiUrlOf } from "../node/self.ts";
import { programBeside, type SharedPorts } from "./compose-shared.ts";

/** The router of an agent, put together but not started: nothing has been touched yet. */
export function composeRouter(
  shared: SharedPorts,
  agent: AgentSettings,
  settings: RouterSettings,
): Router {
  const { clock, log } = shared;
  const { pgbouncer, haproxy, holdLimitMs, maxLagBytes, maxReportLagBytes, readsFromPrimary } =
    settings;
  const ports: RouterPorts = {
    ...shared,
    lookout: createLookout(clock),
    pooler:
      pgbouncer &&
      createPgbouncer({
        settings: pgbouncer,
        holdLimitMs,
        releaser: { nodePath: process.execPath, path: programBeside("releaser.mjs") },
        clock,
        log,
      }),
    balancer:
      haproxy &&
      createBalancer({
        settings: haproxy,
        maxLagBytes,
        maxReportLagBytes,
        readsFromPrimary,
        tls: agent.rest.tls,
        clock,
        log,
      }),
  };
  const self = {
    name: agent.name,
    apiUrl: apiUrlOf(agent.rest),
    agentVersion: VERSION,
    settings,
    addresses: addressesOf(settings),
  };
  return createRouter(ports, { scope: agent.scope, namespace: agent.namespace, self });
}

/** Where clients connect, by what they find there. */
function addressesOf({ pgbouncer, haproxy }: RouterSettings): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  if (pgbouncer !== undefined) found["pgbouncer"] = printAddress(pgbouncer.listen);
  for (const route of ["write", "read", "report"] as const) {
    const address = haproxy?.[route];
    if (address !== undefined) found[`haproxy ${route}`] = printAddress(address);
  }
  return found;
}
