// What can be asked of this one member: restart, reload, rebuild, let go?
import { AppError } from "../../model/error.ts";
import { valueOf } from "../../model/known.ts";
import { fitsFilter, type RestartFacts } from "../../model/restart.ts";
import { isObject, type JsonObject } from "../../model/wire/json.ts";
import { parseRestartWish, type RestartWish } from "../../model/wire/restart.ts";
import { printRole } from "../../model/wire/role.ts";
import type { NodeRequest, View } from "./node-view.ts";
import { type ApiContext, failure, type Route, type RouteAnswer, text } from "./route.ts";

async function restart(context: ApiContext, body: JsonObject): Promise<RouteAnswer> {
  const view = context.node.view();
  const { paused } = view.config;
  const wish = parseRestartWish(body, { paused, wallMs: context.clock.wallMs() });
  if ("why" in wish) return text(wish.status, wish.why);
  if (wish.at !== undefined) return schedule(context, wish, wish.at);
  if (view.job !== undefined) return text(503, `${view.job.name} already in progress`);
  if (view.member.state === "starting") return text(503, "postgres is still starting");
  if (!fitsFilter(wish, factsOf(view))) return text(503, "restart conditions are not satisfied");
  return ask(context, { kind: "restart", timeoutMs: wish.timeoutMs }, [
    200,
    "restarted successfully",
  ]);
}

const sqlOf = ({ server }: View) => (server === undefined ? undefined : valueOf(server.seen.sql));

const factsOf = (view: View): RestartFacts => ({
  role: printRole(view.member.role),
  version: sqlOf(view)?.version,
  isPending: view.member.pendingRestart.length > 0,
});

/** Kept by this member's agent until its time comes; one at a time, as the tools expect. */
async function schedule(
  context: ApiContext,
  { timeoutMs, role, belowVersion, onlyPending }: RestartWish,
  at: NonNullable<RestartWish["at"]>,
): Promise<RouteAnswer> {
  const view = context.node.view();
  if (view.member.scheduledRestart !== undefined) {
    return text(409, "Another restart is already scheduled");
  }
  const serverStartedAt = sqlOf(view)?.startedAtText;
  if (serverStartedAt === undefined) return text(503, "the server does not answer now");
  const filter = { role, belowVersion, onlyPending };
  const planned = { at: at.text, atMs: at.wallMs, timeoutMs, serverStartedAt, ...filter };
  return ask(context, { kind: "schedule-restart", planned }, [202, "Restart scheduled"]);
}

async function unschedule(context: ApiContext): Promise<RouteAnswer> {
  if (context.node.view().member.scheduledRestart === undefined) {
    return text(404, "no restarts are scheduled");
  }
  return ask(context, { kind: "cancel-restart" }, [200, "scheduled restart deleted"]);
}

async function reinitialise(context: ApiContext, body: JsonObject): Promise<RouteAnswer> {
  const view = context.node.view();
  const leader = view.cluster?.seen.leader?.name;
  const force = body["force"] === true;
  if (view.lease !== undefined || leader === view.member.name) {
    return text(503, "I am the leader, can not reinitialize");
  }
  if (leader === undefined) return text(503, "Cluster has no leader, can not reinitialize");
  if (view.job !== undefined && !force) return text(503, `${view.job.name} already in progress`);
  const fromLeader = body["from_leader"] === true;
  return ask(context, { kind: "reinitialise", force, fromLeader }, [200, "reinitialize started"]);
}

async function ask(
  { node, log }: ApiContext,
  request: NodeRequest,
  [status, words]: readonly [number, string],
): Promise<RouteAnswer> {
  log.info("a request came over REST", { request: request.kind });
  const outcome = await node.request(request);
  if (outcome.kind === "done") return text(status, words);
  if (outcome.kind === "refused") return text(503, outcome.why);
  return failure(new AppError(outcome.code, `${request.kind} failed`, outcome.why), request.kind);
}

export const MEMBER_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/restart",
    about:
      "restarts PostgreSQL, now or at `schedule`, if `role`, `postgres_version` and `restart_pending` fit",
    body: "optional",
    answer: (context, { body }) => restart(context, isObject(body) ? body : {}),
  },
  {
    method: "DELETE",
    path: "/restart",
    about: "takes a scheduled restart back",
    answer: (context) => unschedule(context),
  },
  {
    method: "POST",
    path: "/reload",
    about: "reads the node's file and the server's settings again",
    body: "optional",
    answer: (context) => ask(context, { kind: "reload" }, [202, "reload scheduled"]),
  },
  {
    method: "POST",
    path: "/reinitialize",
    about: "rebuilds a standby from a fresh copy (`force`, `from_leader`)",
    body: "optional",
    answer: (context, { body }) => reinitialise(context, isObject(body) ? body : {}),
  },
  {
    method: "POST",
    path: "/understudy/detach",
    about: "the agent leaves, PostgreSQL keeps running under the fence",
    body: "optional",
    answer: (context) =>
      ask(context, { kind: "detach" }, [202, "the agent leaves, PostgreSQL stays"]),
  },
];
