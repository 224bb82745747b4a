// How does a router stand in the store?

import type { HoldAnswer, RouterStatus } from "../route.ts";
import { ROUTE_REASONS, type RouteReason } from "../route-reason.ts";
import { integerIn, isObject, type JsonObject, parseJson, printJson, textIn } from "./json.ts";

/** The value of a router's key. */
export function printRouter(r: RouterStatus): string {
  return printJson({
    agent: r.agent,
    api_url: r.apiUrl,
    addresses: r.addresses,
    term: r.term,
    primary: r.primary,
    answer: r.answer === undefined ? undefined : { ...r.answer },
    answers_within_ms: r.answersWithinMs,
    because: r.because,
  });
}

/** Reads a router's key. One that cannot be read is still a router: it has a name and says nothing else. */
export function parseRouter(name: string, text: string): RouterStatus {
  const parsed = parseJson(text);
  const value: JsonObject = isObject(parsed) ? parsed : {};
  return {
    name,
    agent: textIn(value["agent"]) ?? "",
    apiUrl: textIn(value["api_url"]) ?? "",
    addresses: textsIn(value["addresses"]),
    term: integerIn(value["term"]) ?? 0,
    primary: textIn(value["primary"]),
    answer: parseAnswer(value["answer"]),
    answersWithinMs: integerIn(value["answers_within_ms"]) ?? 0,
    because: reasonIn(value["because"]),
  };
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  const rows = isObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(rows.flatMap(([k, v]) => (typeof v === "string" ? [[k, v]] : [])));
}

function parseAnswer(value: unknown): HoldAnswer | undefined {
  if (!isObject(value)) return undefined;
  const intent = integerIn(value["intent"]);
  if (intent === undefined) return undefined;
  if (value["kind"] === "held") return { kind: "held", intent };
  const blockers = Array.isArray(value["blockers"]) ? value["blockers"] : [];
  return { kind: "busy", intent, blockers: blockers.map(String) };
}

const isReason = (text: string): text is RouteReason => text in ROUTE_REASONS;

/** A word that only a newer agent knows says the least that can be said. */
function reasonIn(value: unknown): RouteReason {
  const text = textIn(value) ?? "";
  return isReason(text) ? text : "route_waiting_for_primary";
}
