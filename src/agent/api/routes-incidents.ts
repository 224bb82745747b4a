// What went wrong, and who has looked at it? Incidents as all nodes together tell them.
import type { Incident } from "../../incident/incident.ts";
import { isObject } from "../../model/wire/json.ts";
import { type ApiContext, document, type Route, type RouteAnswer, text } from "./route.ts";

const LONGEST_NOTE = 500;

async function incidents(context: ApiContext, query: URLSearchParams): Promise<RouteAnswer> {
  const { incidents: keeper } = context;
  if (keeper === undefined) return text(404, "this node keeps no incidents");
  const all = query.has("own") ? await keeper.own() : await keeper.current();
  const id = query.get("id");
  const items = id === null ? all : all.filter((incident) => incident.id === id);
  if (id !== null && items.length === 0) return text(404, `there is no incident ${id}`);
  const isWhole = query.has("own") || id !== null;
  return document("Incidents", context, { items: isWhole ? items : items.map(withoutStory) });
}

/** A list of incidents is read for what there is, not for each line of the story. */
function withoutStory(incident: Incident): Omit<Incident, "lines"> {
  const { lines: _, ...rest } = incident;
  return rest;
}

async function acknowledge(
  { incidents: keeper, clock, log }: ApiContext,
  body: unknown,
): Promise<RouteAnswer> {
  if (keeper === undefined) return text(404, "this node keeps no incidents");
  const { id, by, note } = isObject(body) ? body : {};
  if (typeof id !== "string" || id === "") return text(400, "id: which incident?");
  if (typeof by !== "string" || by === "") return text(400, "by: who has looked at it?");
  if (note !== undefined && typeof note !== "string") return text(400, "note: must be a text");
  if (`${by}${note ?? ""}`.length > LONGEST_NOTE)
    return text(400, `by and note: at most ${LONGEST_NOTE} characters together`);
  const word = { by, note, at: clock.wallMs() };
  const found = await keeper.acknowledge(id, word);
  if (found === undefined) return text(404, `there is no incident ${id} on this member`);
  log.info("an incident is acknowledged", { id, by });
  return text(200, `${id} acknowledged by ${found.acknowledged?.by ?? by}`);
}

export const INCIDENT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/understudy/incidents",
    about:
      "incidents as all nodes together tell them; `id=` for one with its whole story, `own` for those on this member's disk",
    answer: (context, { query }) => incidents(context, query),
  },
  {
    method: "POST",
    path: "/understudy/incidents/ack",
    about: "says that `by` has looked at the incident `id`, with a `note`; kept on this member",
    body: "required",
    answer: (context, { body }) => acknowledge(context, body),
  },
];
