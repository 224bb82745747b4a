// What can be asked of a member's replication slots? To look at them, and to drop one whose name was typed.

import { isObject } from "../../model/wire/json.ts";
import { type ApiContext, document, type Route, type RouteAnswer, text } from "./route.ts";
import { slotsPart } from "./slot-status.ts";
import { walOf } from "./wal-status.ts";

function slots(context: ApiContext): RouteAnswer {
  const { slots: items, ...more } = slotsPart(context.node.view());
  return document("Slots", context, { ...more, items });
}

/** A slot that would be made again at the next look, or that somebody reads, is refused before anything is done. */
async function drop({ node, log }: ApiContext, body: unknown): Promise<RouteAnswer> {
  const name = isObject(body) ? body["name"] : undefined;
  if (typeof name !== "string" || name === "") return text(400, "name: which slot?");
  const found = node.view().slots.find(({ slot }) => slot.name === name);
  if (found === undefined) return text(404, `there is no slot ${name} on this member`);
  const { slot, use } = found;
  if (slot.active) return text(409, `slot ${name} is being read: stop its reader first`);
  if (use === "member") return text(409, `slot ${name} belongs to a member of the cluster`);
  if (use === "permanent")
    return text(409, `slot ${name} is configured: take it out of slots in the configuration first`);
  log.warn("a slot is dropped on request", { slot: name, use });
  const outcome = await node.request({ kind: "drop-slot", name });
  if (outcome.kind === "done") return text(200, `slot ${name} dropped`);
  return text(503, outcome.why);
}

function wal(context: ApiContext): RouteAnswer {
  const report = walOf(context.node.view());
  if (report === undefined)
    return text(503, "nothing is known of the WAL here: the server does not answer");
  return document("Wal", context, report);
}

export const SLOT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/understudy/wal",
    about:
      "this member's WAL: files, their disk and how long it lasts, archiver, and what each slot keeps",
    answer: (context) => wal(context),
  },
  {
    method: "GET",
    path: "/understudy/slots",
    about:
      "this member's replication slots: what each is for, idle since when, how much WAL it keeps",
    answer: (context) => slots(context),
  },
  {
    method: "POST",
    path: "/understudy/slots/drop",
    about: "drops the slot `name` here, if nobody reads it and no member or configuration needs it",
    body: "required",
    answer: (context, { body }) => drop(context, body),
  },
];
