// Who answers health checks? A raw listener in front of everything, from memory, so that a busy agent answers too.
import type { IncomingMessage, ServerResponse } from "node:http";
import { printJson } from "../../model/wire/json.ts";
import { healthStatus, livenessStatus, readinessStatus } from "./health.ts";
import { ownStatus } from "./own-status.ts";
import type { ApiContext } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { momentOf } from "./routes-read.ts";

/** First segments of GET paths that are endpoints of their own and never health checks. */
const DEDICATED = new Set([
  ...ROUTES.filter(({ method }) => method === "GET").map(({ path }) => firstSegment(path)),
]);

/** Answers the request when it is a health check; says whether it was one. */
export type Probe = (request: IncomingMessage, response: ServerResponse) => boolean;

export function createProbe(context: ApiContext): Probe {
  return (request, response) => {
    const method = request.method ?? "";
    if (method !== "GET" && method !== "HEAD" && method !== "OPTIONS") return false;
    const [path = "/", query = ""] = splitOnce(request.url ?? "/");
    if (method !== "OPTIONS" && DEDICATED.has(firstSegment(path))) return false;
    const status = statusOf(context, path, new URLSearchParams(query));
    const isBare = method !== "GET" || path === "/liveness" || path === "/readiness";
    const body = isBare
      ? ""
      : printJson(ownStatus(context.node.view(), context, momentOf(context)));
    const length = Buffer.byteLength(body);
    response.writeHead(status, { "content-type": "application/json", "content-length": length });
    response.end(body);
    return true;
  };
}

function statusOf({ node, clock }: ApiContext, path: string, query: URLSearchParams): number {
  const asked = { view: node.view(), now: clock.now(), query };
  if (path === "/liveness") return livenessStatus(asked.view, asked.now);
  if (path === "/readiness") return readinessStatus(asked);
  return healthStatus(path, asked);
}

function firstSegment(path: string): string {
  return path.split("/")[1] ?? "";
}

function splitOnce(url: string): readonly string[] {
  const at = url.indexOf("?");
  return at < 0 ? [url] : [url.slice(0, at), url.slice(at + 1)];
}
