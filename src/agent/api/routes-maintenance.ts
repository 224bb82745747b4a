// What maintenance runs on this member's server, and what would some cost? Only when somebody asks.
import { relationFacts, runningMaintenance } from "../../adapters/postgres/maintenance.ts";
import { valueOf } from "../../model/known.ts";
import { type ApiContext, document, failure, type Route, type RouteAnswer, text } from "./route.ts";

/** More than a name with its schema and database is none. */
const MOST_PARTS = 2;
const LONGEST_NAME = 63;

async function running(context: ApiContext): Promise<RouteAnswer> {
  const { server } = context.node.view();
  if (server === undefined || valueOf(server.seen.sql) === undefined)
    return text(503, "the server does not answer now");
  try {
    const items = await runningMaintenance(context.settings.postgres);
    return document("Maintenance", context, { items });
  } catch (error) {
    return failure(error, "looking for maintenance");
  }
}

async function relation(
  context: ApiContext,
  body: Readonly<Record<string, unknown>> = {},
): Promise<RouteAnswer> {
  const { database, name } = body;
  if (!isName(database)) return text(400, "database: in which one does it lie?");
  if (!Array.isArray(name) || name.length === 0 || name.length > MOST_PARTS || !name.every(isName))
    return text(400, "name: a list of its name, or of its schema and name");
  try {
    const item = await relationFacts(context.settings.postgres, database, name);
    if (item === undefined) return text(404, `${database} has no ${name.join(".")}`);
    return document("Relation", context, { item });
  } catch (error) {
    return failure(error, `looking at ${name.join(".")}`);
  }
}

const isName = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= LONGEST_NAME;

/** For everybody, since it shows nothing of anybody's; so one look at a time, whoever asks. */
async function blocking(context: ApiContext): Promise<RouteAnswer> {
  if (context.blocking === undefined) return text(404, "no server is looked at here");
  try {
    return document("Blocking", context, { items: await context.blocking() });
  } catch (error) {
    return failure(error, "looking for maintenance");
  }
}

/** The others show statements or names of somebody's tables: they ask for the rights of a change. */
export const MAINTENANCE_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/understudy/maintenance/blocking",
    about: "maintenance on this member's server that keeps clients waiting, without statements",
    answer: (context) => blocking(context),
  },
  {
    method: "POST",
    path: "/understudy/maintenance",
    about: "maintenance that runs on this member's server now, and sessions that others wait for",
    body: "optional",
    answer: (context) => running(context),
  },
  {
    method: "POST",
    path: "/understudy/maintenance/relation",
    about: "how large `name` in `database` is, and who has it open",
    body: "required",
    answer: (context, { body }) => relation(context, body),
  },
];
