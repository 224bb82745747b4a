// How does a primary that cannot reach the store ask the others to stand back? Patroni's `POST /failsafe`, and ours in it.
import type { PromiseAsked } from "../promise.ts";
import { integerIn, isObject, type JsonObject, printJson, textIn } from "./json.ts";

/** The whole answer of a member that promises. */
export const ACCEPTED = "Accepted";

/** Who asks whom for what. Without `term` the sender is one of Patroni's. */
export interface FailsafeRequest {
  readonly grantee: string;
  readonly term: number | undefined;
  readonly durationMs: number | undefined;
  readonly scope: string | undefined;
  readonly to: string | undefined;
}

export const printPromiseAsked = (
  asked: PromiseAsked & { readonly to: string; readonly scope: string },
): string =>
  printJson({
    name: asked.grantee,
    understudy: {
      scope: asked.scope,
      to: asked.to,
      term: asked.term,
      durationMs: asked.durationMs,
    },
  });

/** Undefined when nobody is named. */
export function parseFailsafe(body: JsonObject): FailsafeRequest | undefined {
  const grantee = textIn(body["name"]);
  const ours = isObject(body["understudy"]) ? body["understudy"] : {};
  if (grantee === undefined) return undefined;
  return {
    grantee,
    term: integerIn(ours["term"]),
    durationMs: integerIn(ours["durationMs"]),
    scope: textIn(ours["scope"]),
    to: textIn(ours["to"]),
  };
}
