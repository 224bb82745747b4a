// Who is this node, as the others know it?
import type { Self } from "../controllers/ha/world.ts";
import { USUAL_DATABASE } from "../model/member.ts";
import type { RestSettings } from "../model/settings.ts";
import type { Instant } from "../model/time.ts";
import type { NodeOptions } from "./node.ts";

export function selfOf({ settings, agentVersion }: NodeOptions, startedAt: Instant): Self {
  const { name, postgres, tags, rest, watchdog } = settings;
  const { connectAddress, proxyAddress, database } = postgres;
  return {
    name,
    ...connectAddress,
    ...(database === USUAL_DATABASE ? {} : { database }),
    ...(proxyAddress === undefined ? {} : { proxyAddress }),
    apiUrl: apiUrlOf(rest),
    tags,
    watchdog: watchdog.mode,
    agentVersion,
    startedAt,
  };
}

/** The REST address as other members reach it. */
export function apiUrlOf({ connectAddress, tls }: RestSettings): string {
  const { host, port } = connectAddress;
  const name = host.includes(":") ? `[${host}]` : host;
  return `${tls?.certfile === undefined ? "http" : "https"}://${name}:${port}`;
}
