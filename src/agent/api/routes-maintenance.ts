// What maintenance runs on this member's server, and what would some cost? Only when somebody asks.
import { relationFacts, runningMaintenance } from "../../adapters/postgres/maintenance.ts";
import { valueOf } from "../../model/known.ts";
import { printRfc3339 } from "../../model/wire/rfc3339.ts";
import { type ApiContext, failure, json, type Route, type RouteAnswer, text } from "./route.ts";

/** More than a name with its schema and database is none. */
const MOST_PARTS = 2;
const LONGEST_NAME = 63;

async function running({ settings, clock, node }: ApiContext): Promise<RouteAnswer> {
  const { server, member } = node.view();
  if (server === undefined || valueOf(server.seen.sql) === undefined)
    return text(503, "the server does not answer now");
  try {
    const items = await runningMaintenance(settings.postgres);
    const asOf = printRfc3339(clock.wallMs());
    return json({
      apiVersion: "understudy/v1",
      kind: "Maintenance",
      asOf,
      member: member.name,
      items,
    });
  } catch (error) {
    return failure(error, "looking for maintenance");
  }
}

async function relation(
  { settings, clock, node }: ApiContext,
  body: Readonly<Record<string, unknown>> = {},
): Promise<RouteAnswer> {
  const { database, name } = body;
  if (!isName(database)) return text(400, "database: in which one does it lie?");
  if (!Array.isArray(name) || name.length === 0 || name.length > MOST_PARTS || !name.every(isName))
    return text(400, "name: a list of its name, or of its schema and name");
  try {
    const facts = await relationFacts(settings.postgres, database, name);
    if (facts === undefined) return text(404, `${database} has no ${name.join(".")}`);
    const asOf = printRfc3339(clock.wallMs());
    const member = node.view().member.name;
    return json({ apiVersion: "understudy/v1", kind: "Relation", asOf, member, item: facts });
  } catch (error) {
    return failure(error, `looking at ${name.join(".")}`);
  }
}

const isName = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= LONGEST_NAME;

/** Both show statements or names of somebody's tables: they ask for the rights of a change. */
export const MAINTENANCE_ROUTES: readonly Route[] = [
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
