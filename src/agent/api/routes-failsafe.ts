// What may a primary ask of this member while it cannot reach the store?
import type { PromiseAsked } from "../../model/promise.ts";
import { ACCEPTED, type FailsafeRequest, parseFailsafe } from "../../model/wire/failsafe.ts";
import type { JsonObject } from "../../model/wire/json.ts";
import { API_PATH } from "../../model/wire/member.ts";
import { type ApiContext, json, type Route, type RouteAnswer, text } from "./route.ts";

/** The list that tools know: who must promise before a primary goes on without the store. */
function list({ node }: ApiContext): RouteAnswer {
  const roster = node.view().cluster?.seen.roster.value;
  if (roster === undefined) return text(502, "no list of members has been read yet");
  const rows = Object.entries(roster).map(([name, url]) => [name, `${url}${API_PATH}`]);
  return json(Object.fromEntries(rows));
}

async function promise(context: ApiContext, body: JsonObject): Promise<RouteAnswer> {
  const { node, settings } = context;
  const request = parseFailsafe(body);
  if (request === undefined) return text(400, "name: who leads?");
  if (!node.view().config.failsafeMode) return text(502, "failsafe_mode is off");
  const isForUs =
    (request.scope ?? settings.scope) === settings.scope &&
    (request.to ?? settings.name) === settings.name;
  if (!isForUs) return text(500, `this is ${settings.name} of ${settings.scope}`);
  const asked = askedBy(context, request);
  if (asked === undefined) return text(500, `${request.grantee} is not the leader known here`);
  const answer = await node.promise(asked);
  return answer.kind === "promised" ? text(200, ACCEPTED) : text(500, answer.why);
}

/** One of Patroni's names neither term nor time: it gets them if it is the leader that we know, for a ttl as there. */
function askedBy({ node }: ApiContext, request: FailsafeRequest): PromiseAsked | undefined {
  const { grantee, term, durationMs } = request;
  if (term !== undefined && durationMs !== undefined) return { grantee, term, durationMs };
  const { cluster, config } = node.view();
  const leader = cluster?.seen.leader;
  if (leader?.name !== grantee) return undefined;
  return { grantee, term: leader.term, durationMs: config.ttlMs };
}

export const FAILSAFE_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/failsafe",
    about: "the members that must promise not to race before a primary goes on without the store",
    answer: list,
  },
  {
    method: "POST",
    path: "/failsafe",
    about: "a primary that cannot reach the store asks this member not to race",
    body: "required",
    answer: (context, { body }) => promise(context, body ?? {}),
  },
];
