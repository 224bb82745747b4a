// What can be asked of this one member: restart, reload, rebuild, let go?
import { AppError } from "../../model/error.ts";
import { valueOf } from "../../model/known.ts";
import { parseDuration } from "../../model/wire/duration.ts";
import { isObject, type JsonObject } from "../../model/wire/json.ts";
import { printRole } from "../../model/wire/role.ts";
import { isRestartRole } from "../../model/wire/role-filter.ts";
import type { NodeRequest, View } from "./node-view.ts";
import { type ApiContext, failure, type Route, type RouteAnswer, text } from "./route.ts";

const RESTART_KEYS = ["schedule", "role", "postgres_version", "timeout", "restart_pending"];

interface RestartWish {
  readonly role: string | undefined;
  readonly belowVersion: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly onlyPending: boolean;
}

async function restart(context: ApiContext, body: JsonObject): Promise<RouteAnswer> {
  const wish = parseRestart(body);
  if (!("role" in wish)) return wish;
  const view = context.node.view();
  if (view.job !== undefined) return text(503, `${view.job.name} already in progress`);
  if (view.member.state === "starting") return text(503, "postgres is still starting");
  if (!isWanted(wish, view)) return text(503, "restart conditions are not satisfied");
  return ask(context, { kind: "restart", timeoutMs: wish.timeoutMs }, [
    200,
    "restarted successfully",
  ]);
}

function parseRestart(body: JsonObject): RestartWish | RouteAnswer {
  const stranger = Object.keys(body).find((key) => !RESTART_KEYS.includes(key));
  if (stranger !== undefined) return text(400, `unknown filter: ${stranger}`);
  if (body["schedule"] !== undefined) {
    return text(501, "scheduled restarts are not supported: ask again when it is time");
  }
  const role = body["role"];
  if (role !== undefined && !isRestartRole(role))
    return text(400, "role is none that can be restarted");
  const version = body["postgres_version"];
  const belowVersion = version === undefined ? undefined : versionNumber(version);
  if (version !== undefined && belowVersion === undefined) {
    return text(400, "postgres_version is not a version of PostgreSQL");
  }
  const timeout = body["timeout"];
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout);
  if (timeout !== undefined && !(timeoutMs !== undefined && timeoutMs > 0)) {
    return text(400, "timeout must be a number of seconds above zero");
  }
  return {
    role,
    belowVersion,
    timeoutMs,
    onlyPending: body["restart_pending"] !== undefined,
  };
}

/** `15.4` as the server counts: 150004. */
function versionNumber(written: unknown): number | undefined {
  const match = /^(\d{2})(?:\.(\d{1,2}))?$/.exec(JSON.stringify(written).replaceAll('"', ""));
  return match === null ? undefined : Number(match[1]) * 10_000 + Number(match[2] ?? 0);
}

function isWanted(wish: RestartWish, view: View): boolean {
  const sql = view.server === undefined ? undefined : valueOf(view.server.seen.sql);
  if (wish.role !== undefined && wish.role !== printRole(view.member.role)) return false;
  if (wish.belowVersion !== undefined && (sql?.version ?? 0) >= wish.belowVersion) return false;
  return !wish.onlyPending || view.member.pendingRestart.length > 0;
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
    about: "restarts PostgreSQL, if `role`, `postgres_version` and `restart_pending` fit",
    body: "optional",
    answer: (context, { body }) => restart(context, isObject(body) ? body : {}),
  },
  {
    method: "DELETE",
    path: "/restart",
    about: "takes a scheduled restart back; there never is one in this version",
    answer: () => text(404, "no restarts are scheduled"),
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
