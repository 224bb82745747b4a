// A store that was lost or set back: which member may tell it about the cluster again, and the word to do so (R31).
import { printLsn } from "../../model/lsn.ts";
import { isObject } from "../../model/wire/json.ts";
import type { RepopulateOutcome } from "../../node/node.ts";
import { type ApiContext, failure, json, type Route, type RouteAnswer, text } from "./route.ts";

/** The scope has to be named: what is written decides which history the cluster goes on with. */
async function repopulate(
  { node, settings, log }: ApiContext,
  body: unknown,
): Promise<RouteAnswer> {
  const { scope, without = [], dry_run: isDryRun = false } = isObject(body) ? body : {};
  if (scope !== settings.scope)
    return text(400, `scope: name the cluster that is meant, ${settings.scope}`);
  if (!isTexts(without)) return text(400, "without: a list of members that are gone for good");
  if (typeof isDryRun !== "boolean") return text(400, "dry_run: true or false");
  const attempt = "repopulate the store";
  const wish = { without, isDryRun };
  const outcome = await node.repopulate(wish).catch((error: unknown) => failure(error, attempt));
  if ("status" in outcome) return outcome;
  if (outcome.kind === "refused") return text(409, `${outcome.why}\n${outcome.next}`);
  if (outcome.kind === "written")
    log.warn("the store was repopulated on request", { by: settings.name, without });
  return json(said(outcome, settings.scope));
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

function said({ kind, facts }: Exclude<RepopulateOutcome, { kind: "refused" }>, scope: string) {
  const { succession, branches, roster } = facts;
  return {
    apiVersion: "understudy/v1",
    kind: "Repopulation",
    written: kind === "written",
    scope,
    leader: succession.by,
    systemId: succession.systemId,
    termsAbove: succession.termBase,
    branches: branches.map(({ timeline, parent, forkLsn, term }) => ({
      timeline,
      parent,
      forkLsn: printLsn(forkLsn),
      term,
    })),
    mayLead: Object.keys(roster),
  };
}

export const STORE_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/understudy/store/repopulate",
    about:
      "tells a store that has lost the cluster `scope` about it, if this member led last and nobody has a newer history; `without` names members that are gone for good, `dry_run` only says what would be written",
    body: "required",
    answer: (context, { body }) => repopulate(context, body),
  },
];
