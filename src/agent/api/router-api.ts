// What can be asked of an agent that has no server of its own? A few things, and none of them changes anything.
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AgentSettings } from "../../model/settings.ts";
import { printJson } from "../../model/wire/json.ts";
import type { Router } from "../../node/router.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { AvailabilityWatch } from "../availability/watch.ts";
import type { Chronicle } from "../chronicle/chronicle.ts";
import { type Api, serve } from "./api.ts";
import { renderRouterMetrics } from "./router-metrics.ts";
import { routerJson, routerLives, routerStatus } from "./router-view.ts";
import { answerAvailability } from "./routes-availability.ts";
import { answerEvents } from "./routes-events.ts";
import { answerPools } from "./routes-pools.ts";

export interface RouterContext {
  readonly router: Router;
  readonly settings: AgentSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly chronicle: Chronicle;
  readonly availability: AvailabilityWatch | undefined;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** The document, with a status that a health check understands. */
const DOCUMENTS = new Set(["/", "/health", "/readiness", "/router"]);

export const createRouterApi = (context: RouterContext): Api =>
  serve(context.settings.rest, listenerOf(context));

function listenerOf(context: RouterContext): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    send(context, request, response).catch((error: unknown) => {
      context.log.error("a REST request failed", { path: request.url, error });
      response.destroy();
    });
  };
}

async function send(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, type, body } = await answer(context, request);
  response.writeHead(status, { "content-type": type });
  response.end(request.method === "HEAD" ? "" : body);
}

async function answer(context: RouterContext, request: IncomingMessage): Promise<Answer> {
  const { router, settings, clock } = context;
  const [path = "/", query = ""] = (request.url ?? "/").split("?");
  const isRead = request.method === "GET" || request.method === "HEAD";
  const words = (status: number, body: string): Answer => ({ status, type: "text/plain", body });
  if (!isRead) return words(501, "a router answers questions only: ask a member for changes");
  if (path === "/liveness") return words(routerLives(router, clock.now()), "");
  if (path === "/metrics")
    return words(200, await renderRouterMetrics(router, settings.scope, clock));
  if (path === "/understudy/pools") {
    const { status, json, text } = await answerPools(router, clock);
    return json === undefined
      ? words(status, text ?? "")
      : { status, type: "application/json", body: printJson(json) };
  }
  if (path === "/understudy/events") {
    const { status, json } = await answerEvents(context, new URLSearchParams(query));
    return { status, type: "application/json", body: printJson(json) };
  }
  if (path === "/understudy/availability") {
    const { status, json, text } = answerAvailability(context);
    return json === undefined
      ? words(status, text ?? "")
      : { status, type: "application/json", body: printJson(json) };
  }
  if (!DOCUMENTS.has(path)) return words(404, "this is a router: there is no such endpoint");
  const body = printJson(await routerJson(router, clock));
  // Somebody who asks for the document wants to read it, whatever it says.
  const status = path === "/router" ? 200 : routerStatus(router);
  return { status, type: "application/json", body };
}
