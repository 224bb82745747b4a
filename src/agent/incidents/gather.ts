// What do all nodes say has happened? Each is asked at the same time, within a limit; who is silent is named.
import { callHttp, type TlsMaterial } from "../../adapters/http/client.ts";
import type { Incident } from "../../incident/incident.ts";
import { asEvent } from "../../model/event.ts";
import { type NodeEvents, offsetOf } from "../../model/merged-events.ts";
import type { Ms } from "../../model/time.ts";
import { isObject } from "../../model/wire/json.ts";
import { baseUrl } from "../../model/wire/member.ts";
import { parseRfc3339 } from "../../model/wire/rfc3339.ts";
import { isIncident } from "./incident-files.ts";

export interface OtherNode {
  readonly name: string;
  readonly apiUrl: string;
}

export interface Gathered {
  readonly parts: readonly NodeEvents[];
  /** Incidents as the others keep them, with their acknowledgements. */
  readonly kept: readonly Incident[];
  readonly missing: readonly string[];
}

const LIMIT_MS: Ms = 3_000;
/** Of each node, the newest. */
export const MOST_EVENTS = 5_000;

/** Never throws: silence is an answer. */
export async function gather(
  others: readonly OtherNode[],
  tls: TlsMaterial,
  wallMs: () => number,
): Promise<Gathered> {
  const answers = await Promise.all(
    others.map(async ({ name, apiUrl }) => {
      const [part, kept] = await Promise.all([
        eventsOf(name, apiUrl, tls, wallMs).catch(() => undefined),
        incidentsOf(apiUrl, tls).catch(() => []),
      ]);
      return { name, part, kept };
    }),
  );
  return {
    parts: answers.flatMap(({ part }) => part ?? []),
    kept: answers.flatMap(({ kept }) => kept),
    missing: answers.flatMap(({ name, part }) => (part === undefined ? [name] : [])).toSorted(),
  };
}

async function eventsOf(
  node: string,
  apiUrl: string,
  tls: TlsMaterial,
  wallMs: () => number,
): Promise<NodeEvents | undefined> {
  const askedAt = wallMs();
  const value = await read(`${baseUrl(apiUrl)}/understudy/events?limit=${MOST_EVENTS}`, tls);
  if (value === undefined) return undefined;
  const theirs = parseRfc3339(String(value["asOf"])) ?? askedAt;
  const events = itemsOf(value).flatMap((item) => asEvent(item) ?? []);
  return { node, events, offset: offsetOf(askedAt, wallMs(), theirs) };
}

/** A router keeps none, and answers so. */
async function incidentsOf(apiUrl: string, tls: TlsMaterial): Promise<readonly Incident[]> {
  const value = await read(`${baseUrl(apiUrl)}/understudy/incidents?own`, tls);
  return value === undefined ? [] : itemsOf(value).filter(isIncident);
}

const itemsOf = (value: Readonly<Record<string, unknown>>): readonly unknown[] =>
  Array.isArray(value["items"]) ? (value["items"] as readonly unknown[]) : [];

async function read(url: string, tls: TlsMaterial) {
  const { status, body } = await callHttp({ method: "GET", url, timeoutMs: LIMIT_MS, tls });
  const value: unknown = status === 200 ? JSON.parse(body) : undefined;
  return isObject(value) ? value : undefined;
}
