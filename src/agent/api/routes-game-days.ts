// What can be asked of this member about failovers on purpose? The records, a probe while one lasts, and a crash.
import { asGameDay } from "../../model/game-day/game-day.ts";
import { LONGEST_PROBE_MS } from "../game-days/game-days.ts";
import { type ApiContext, document, json, type Route, type RouteAnswer, text } from "./route.ts";

const NONE = text(501, "this agent keeps no game days");

async function list(context: ApiContext): Promise<RouteAnswer> {
  const items = await context.gameDays?.list();
  return items === undefined ? NONE : document("GameDays", context, { items });
}

async function keep({ gameDays }: ApiContext, body: unknown): Promise<RouteAnswer> {
  if (gameDays === undefined) return NONE;
  const day = asGameDay(body);
  if (day === undefined) return text(400, "the body is no game day");
  const objection = await gameDays.keep(day);
  return objection === undefined ? text(200, `${day.id} is ${day.state}`) : text(409, objection);
}

/** The cluster's name is asked for once more here: whoever ends a server says which one it thinks that is. */
async function crash(
  { gameDays, settings }: ApiContext,
  body: Readonly<Record<string, unknown>> = {},
): Promise<RouteAnswer> {
  if (gameDays === undefined) return NONE;
  const { id, cluster, term, server_started_at: serverStartedAt } = body;
  if (cluster !== settings.scope) return text(412, `cluster: this one is ${settings.scope}`);
  if (typeof id !== "string") return text(400, "id: which game day?");
  if (typeof term !== "number") return text(400, "term: under which term does the server run?");
  if (typeof serverStartedAt !== "string")
    return text(400, "server_started_at: which server is meant?");
  const objection = await gameDays.crash({ id, term, serverStartedAt });
  return objection === undefined ? text(202, "the server is ended") : text(412, objection);
}

function startProbe({ gameDays }: ApiContext, body: Readonly<Record<string, unknown>> = {}) {
  if (gameDays === undefined) return NONE;
  const { for_ms: forMs } = body;
  if (typeof forMs !== "number" || !(forMs > 0 && forMs <= LONGEST_PROBE_MS))
    return text(400, `for_ms: a number of milliseconds up to ${LONGEST_PROBE_MS}`);
  gameDays.startProbe(forMs);
  return text(202, "probe writes begin");
}

export const GAME_DAY_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/understudy/game-days",
    about: "failovers on purpose that this member knows of, with their reports",
    answer: (context) => list(context),
  },
  {
    method: "POST",
    path: "/understudy/game-days",
    about: "keeps a game day's record: announced, begun, done or aborted; an abort wins",
    body: "required",
    answer: (context, { body }) => keep(context, body),
  },
  {
    method: "POST",
    path: "/understudy/game-days/crash",
    about:
      "ends this primary's first process as a crash would, for the game day `id` that has begun (`cluster`, `term`, `server_started_at`)",
    body: "required",
    answer: (context, { body }) => crash(context, body),
  },
  {
    method: "POST",
    path: "/understudy/game-days/probe",
    about: "writes a message into the primary's WAL ten times a second, `for_ms` at most",
    body: "required",
    answer: (context, { body }) => startProbe(context, body),
  },
  {
    method: "GET",
    path: "/understudy/game-days/probe",
    about: "what these writes have met",
    answer: ({ gameDays }) => {
      const figures = gameDays?.probed();
      return figures === undefined ? text(404, "no probe was asked for") : json(figures);
    },
  },
  {
    method: "DELETE",
    path: "/understudy/game-days/probe",
    about: "ends these writes",
    answer: ({ gameDays }) => {
      gameDays?.stopProbe();
      return text(200, "no probe writes any more");
    },
  },
];
