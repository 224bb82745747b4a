// What can be read from a member, besides health checks?

import { ALL_REASONS } from "../../model/reason.ts";
import { printHistory } from "../../model/wire/dcs.ts";
import { printCluster } from "../../model/wire/rest-cluster.ts";
import { printRfc3339 } from "../../model/wire/rfc3339.ts";
import { renderMetrics } from "./metrics.ts";
import { ownStatus } from "./own-status.ts";
import { type ApiContext, failure, json, type Route, type RouteAnswer, text } from "./route.ts";
import { renderRouterMetrics } from "./router-metrics.ts";
import { routerJson } from "./router-view.ts";
import { statusJson } from "./status.ts";

/** How long one fresh look at the store may take. */
export const READ_TIMEOUT_MS = 3_000;
const MOST_LINES = 5_000;

export const momentOf = ({ clock }: Pick<ApiContext, "clock">) => ({
  now: clock.now(),
  wallMs: clock.wallMs(),
});

async function cluster(context: ApiContext): Promise<RouteAnswer> {
  try {
    const seen = await context.node.readCluster(READ_TIMEOUT_MS);
    return json(
      printCluster(seen, { scope: context.settings.scope, wallMs: context.clock.wallMs() }),
    );
  } catch (error) {
    return failure(error, "reading the cluster");
  }
}

function history({ node }: ApiContext): RouteAnswer {
  const rows = node.view().cluster?.seen.history.value ?? [];
  return { status: 200, text: printHistory(rows), contentType: "application/json" };
}

async function config(context: ApiContext): Promise<RouteAnswer> {
  const seen = context.node.view().cluster?.seen.config.value;
  if (seen !== undefined) return json(seen.raw);
  try {
    const fresh = await context.node.readCluster(READ_TIMEOUT_MS);
    const raw = fresh.config.value?.raw;
    return raw === undefined ? text(502, "there is no configuration yet") : json(raw);
  } catch (error) {
    return failure(error, "reading the configuration");
  }
}

function journal({ node, clock }: ApiContext, query: URLSearchParams): RouteAnswer {
  const items = node.journal(countIn(query, "limit", 100)).map((entry) => ({
    at: printRfc3339(entry.wallMs),
    because: entry.because,
    sentence: ALL_REASONS[entry.because],
    detail: entry.detail,
    step: entry.step,
    term: entry.term,
  }));
  const asOf = printRfc3339(clock.wallMs());
  return json({ apiVersion: "understudy/v1", kind: "Journal", asOf, items });
}

async function logs({ node, clock }: ApiContext, query: URLSearchParams): Promise<RouteAnswer> {
  const source = query.get("source") === "server" ? "server" : "agent";
  try {
    const since = numberIn(query, "since");
    const wish = since === undefined ? { lines: countIn(query, "lines", 50) } : { since };
    const { lines, next } = await node.logs(source, wish);
    const asOf = printRfc3339(clock.wallMs());
    return json({ apiVersion: "understudy/v1", kind: "Logs", asOf, source, items: lines, next });
  } catch (error) {
    return failure(error, `reading the ${source}'s log`);
  }
}

async function metrics(context: ApiContext): Promise<RouteAnswer> {
  const { node, router, settings, clock } = context;
  const own = await renderMetrics(node.view(), context, momentOf(context));
  const more = router === undefined ? "" : await renderRouterMetrics(router, settings.scope, clock);
  return { status: 200, text: own + more, contentType: "text/plain; version=0.0.4; charset=utf-8" };
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const wanted = query.get(name) ?? "";
  return /^\d{1,15}$/.test(wanted) ? Number(wanted) : undefined;
}

const countIn = (query: URLSearchParams, name: string, fallback: number): number =>
  Math.min(numberIn(query, name) ?? fallback, MOST_LINES);

export const READ_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/patroni",
    about: "what this member is and does, in Patroni's fields; ours under `understudy`",
    answer: async (context) =>
      json(ownStatus(await context.node.fresh(), context, momentOf(context))),
  },
  {
    method: "GET",
    path: "/cluster",
    about: "all members with roles and lags, from a fresh look at the store",
    answer: cluster,
  },
  {
    method: "GET",
    path: "/history",
    about: "timelines, where each ended, when, and who led the next",
    answer: history,
  },
  {
    method: "GET",
    path: "/config",
    about: "the dynamic configuration as it is stored",
    answer: config,
  },
  {
    method: "GET",
    path: "/metrics",
    about: "numbers for Prometheus",
    answer: metrics,
  },
  {
    method: "GET",
    path: "/router",
    about: "where clients of this node's pooler and balancer go, with their pools and servers",
    answer: async ({ router, clock }) =>
      router === undefined
        ? text(404, "no clients come in on this node")
        : json(await routerJson(router, clock)),
  },
  {
    method: "GET",
    path: "/understudy/status",
    about: "everything that `understudy status` shows",
    answer: (context) => json(statusJson(context.node.view(), context, momentOf(context))),
  },
  {
    method: "GET",
    path: "/understudy/journal",
    about: "the last changed decisions (`limit=`)",
    answer: (context, { query }) => journal(context, query),
  },
  {
    method: "GET",
    path: "/understudy/logs",
    about:
      "the last lines of a log (`lines=`, `source=agent` or `server`), or what came since the `next` of an answer (`since=`)",
    answer: (context, { query }) => logs(context, query),
  },
];
