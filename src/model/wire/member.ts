// How does a member stand in the store, so that Patroni's readers and our own agents both understand it?
import type { Address } from "../address.ts";
import { type Lsn, lsn, maxLsn, parseLsn, printLsn } from "../lsn.ts";
import { bareMember, type Member, USUAL_DATABASE } from "../member.ts";
import type { PendingRestart } from "../server.ts";
import {
  booleanIn,
  integerIn,
  isObject,
  type JsonObject,
  parseJson,
  printJson,
  scalarText,
  textIn,
} from "./json.ts";
import { parseScheduledRestart, printScheduledRestart } from "./restart.ts";
import { parseRole, parseState, printRole, printState } from "./role.ts";
import { parseTags, printTags } from "./tags.ts";

/** Readers decide by this version how to treat a member; below 4.0.0 they fall back to old habits. */
export const PUBLISHED_VERSION = "4.1.4";
/** What Patroni adds to an address of its REST API. */
export const API_PATH = "/patroni";

/** A WAL position written as a whole number of bytes. */
export function lsnIn(value: unknown): Lsn | undefined {
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && value >= 0 ? lsn(value) : undefined;
  }
  return typeof value === "string" && /^\d{1,20}$/.test(value) ? lsn(value) : undefined;
}

const hostInUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);

const connUrl = ({ host, port }: Address, database = USUAL_DATABASE): string =>
  `postgres://${hostInUrl(host)}:${port}/${encodeURIComponent(database)}`;

/** The address of a member's REST interface without any path. */
export const baseUrl = (url: string): string => url.replace(/\/+$/, "").replace(/\/patroni$/, "");

function parseConnUrl(url: string): readonly [host: string, port: number] | undefined {
  const match = /^postgres(?:ql)?:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/?]+)(?::(\d+))?(?:[/?]|$)/.exec(
    url,
  );
  if (match === null) return undefined;
  return [(match[1] ?? "").replace(/^\[|\]$/g, ""), Number(match[2] ?? 5432)];
}

function databaseIn(url: string): { readonly database?: string } {
  const [, name] = /^postgres(?:ql)?:\/\/[^/]+\/([^?]+)/.exec(url) ?? [];
  try {
    const database = decodeURIComponent(name ?? USUAL_DATABASE);
    return database === USUAL_DATABASE ? {} : { database };
  } catch {
    return {};
  }
}

/** What tools outside read as the member's place in the WAL. */
function publicPosition(m: Member): Lsn | undefined {
  if (m.position !== undefined) return m.position;
  if (m.receivedLsn === undefined) return m.replayedLsn;
  return m.replayedLsn === undefined ? m.receivedLsn : maxLsn(m.receivedLsn, m.replayedLsn);
}

export const printReasons = (pending: readonly PendingRestart[]): JsonObject =>
  Object.fromEntries(
    pending.map((p) => [p.parameter, { old_value: p.oldValue, new_value: p.newValue }]),
  );

function parseReasons(value: unknown): readonly PendingRestart[] {
  if (!isObject(value)) return [];
  return Object.entries(value).map(([parameter, reason]) => ({
    parameter,
    oldValue: isObject(reason) ? scalarText(reason["old_value"]) : "",
    newValue: isObject(reason) ? scalarText(reason["new_value"]) : "",
  }));
}

/** The value of a member's key: Patroni's fields, and ours in an object of their own. */
export function printMember(m: Member): string {
  const tags = printTags(m.tags);
  const pending = m.pendingRestart.length > 0;
  return printJson({
    conn_url: connUrl(m, m.database),
    api_url: `${baseUrl(m.apiUrl)}${API_PATH}`,
    proxy_url: m.proxyAddress && connUrl(m.proxyAddress, m.database),
    state: printState(m.state),
    role: printRole(m.role),
    version: m.version === "" ? PUBLISHED_VERSION : m.version,
    tags: Object.keys(tags).length === 0 ? undefined : tags,
    pending_restart: pending ? true : undefined,
    pending_restart_reason: pending ? printReasons(m.pendingRestart) : undefined,
    scheduled_restart:
      m.scheduledRestart === undefined ? undefined : printScheduledRestart(m.scheduledRestart),
    xlog_location: publicPosition(m),
    receive_lsn: m.receivedLsn,
    replay_lsn: m.replayedLsn,
    replication_state: m.replicationState,
    timeline: m.timeline,
    pause: m.paused ? true : undefined,
    understudy: printOurs(m),
  });
}

function printOurs(m: Member): JsonObject | undefined {
  if (m.ours === undefined) return undefined;
  return {
    agent: m.ours.agent,
    hold: m.ours.hold,
    fence: m.ours.fence,
    heeds_pause: m.ours.heedsPause,
    because: m.because,
    handing_over: m.handingOver,
    position: m.position === undefined ? undefined : printLsn(m.position),
  };
}

/** Ours only if all three say so: a member of which we are not sure is treated like Patroni's (R35). */
function parseOurs(value: unknown): Member["ours"] {
  if (!isObject(value) || typeof value["agent"] !== "string") return undefined;
  return {
    agent: value["agent"],
    hold: value["hold"] === true,
    fence: value["fence"] === true,
    heedsPause: value["heeds_pause"] === true,
  };
}

/** Reads a member's key. One that cannot be read is still a member: it has a name and says nothing else. */
export function parseMember(name: string, text: string): Member {
  const value = parseJson(text);
  if (!isObject(value)) return parseOldMember(name, text);
  const connUrlText = scalarText(value["conn_url"]);
  const address = parseConnUrl(connUrlText) ?? ["", 0];
  const proxy = parseConnUrl(scalarText(value["proxy_url"]));
  const own = isObject(value["understudy"]) ? value["understudy"] : undefined;
  const ours = parseOurs(own);
  const reasons = parseReasons(value["pending_restart_reason"]);
  const handingOver = integerIn(own?.["handing_over"]);
  const unnamed = booleanIn(value["pending_restart"]) === true && reasons.length === 0;
  return {
    name,
    host: address[0],
    port: address[1],
    ...databaseIn(connUrlText),
    ...(proxy === undefined ? {} : { proxyAddress: { host: proxy[0], port: proxy[1] } }),
    apiUrl: baseUrl(scalarText(value["api_url"])),
    state: parseState(value["state"]),
    role: parseRole(value["role"]),
    version: textIn(value["version"]) ?? "",
    tags: parseTags(value["tags"]),
    timeline: integerIn(value["timeline"]),
    position:
      ours === undefined ? lsnIn(value["xlog_location"]) : parseLsn(scalarText(own?.["position"])),
    receivedLsn: lsnIn(value["receive_lsn"]),
    replayedLsn: lsnIn(value["replay_lsn"]),
    replicationState: textIn(value["replication_state"]),
    pendingRestart: unnamed ? [{ parameter: "", oldValue: "", newValue: "" }] : reasons,
    scheduledRestart: parseScheduledRestart(value["scheduled_restart"]),
    paused: booleanIn(value["pause"]) ?? false,
    ours,
    ...(handingOver === undefined ? {} : { handingOver }),
    because: ours === undefined ? undefined : textIn(own?.["because"]),
  };
}

/** The oldest form is a connection URL that carries the REST address as application_name. */
function parseOldMember(name: string, text: string): Member {
  const address = parseConnUrl(text);
  if (address === undefined) return bareMember(name, "", 0, "");
  const api = /[?&]application_name=([^&]+)/.exec(text)?.[1];
  return bareMember(name, address[0], address[1], baseUrl(api === undefined ? "" : decoded(api)));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
