// What do the values of the cluster's keys look like in the store?
//
// Patroni's keys are written so that Patroni's own tools read them; `hold` and `lineage` are ours.
import type { ClusterStatus, FailoverIntent, HistoryRow, Hold, Roster } from "../cluster.ts";
import { type Lsn, parseLsn, printLsn } from "../lsn.ts";
import type { SyncState } from "../sync.ts";
import type { Branch } from "../timeline.ts";
import type { Unguarded } from "../unguarded.ts";
import {
  integerIn,
  isObject,
  type JsonObject,
  parseJson,
  printJson,
  scalarText,
  textIn,
} from "./json.ts";
import { API_PATH, baseUrl, lsnIn } from "./member.ts";
import { parseRfc3339, printRfc3339 } from "./rfc3339.ts";

/** The value of the `hold` key. Term 0 stands for the revision at which it was written (the acquire, R5). */
export const printHold = (hold: Omit<Hold, "modRevision">): string =>
  printJson({
    holder: hold.holder,
    term: hold.term,
    seq: hold.seq,
    holdMs: hold.holdMs,
    released:
      hold.released === undefined
        ? undefined
        : {
            heir: hold.released.heir,
            minLsn: hold.released.minLsn === undefined ? undefined : printLsn(hold.released.minLsn),
          },
  });

/**
 * Reads `hold`. A value that nobody of ours wrote stands for an unknown holder who keeps it for
 * `unreadableMs`: unreadable is never "released".
 */
export function parseHold(text: string, modRevision: number, unreadableMs: number): Hold {
  const value = parseJson(text);
  const term = isObject(value) ? integerIn(value["term"]) : undefined;
  const holdMs = isObject(value) ? integerIn(value["holdMs"]) : undefined;
  if (!isObject(value) || term === undefined || holdMs === undefined || holdMs <= 0) {
    const nobody = { holder: "", term: 0, seq: 0, released: undefined };
    return { ...nobody, holdMs: unreadableMs, modRevision };
  }
  const released = value["released"];
  return {
    holder: textIn(value["holder"]) ?? "",
    term: term === 0 ? modRevision : term,
    seq: integerIn(value["seq"]) ?? 0,
    holdMs,
    released: isObject(released)
      ? { heir: textIn(released["heir"]), minLsn: parseLsn(scalarText(released["minLsn"])) }
      : undefined,
    modRevision,
  };
}

export const printStatus = (status: ClusterStatus): string =>
  printJson({
    optime: status.position,
    slots: filled(status.slots),
    // Patroni reads the names alone and begins to count anew.
    retain_slots: filled(status.absentMs) && Object.keys(status.absentMs).toSorted(),
    absent_s: filled(inSeconds(status.absentMs)),
  });

const filled = <T extends object>(value: T): T | undefined =>
  Object.keys(value).length === 0 ? undefined : value;

const inSeconds = (spans: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(spans).map(([name, ms]) => [name, Math.floor(ms / 1000)]));

/** Reads `status`, or the bare number of the older key `optime/leader`. */
export function parseStatus(text: string | undefined): ClusterStatus {
  const value = text === undefined ? undefined : parseJson(text);
  if (!isObject(value)) return { position: lsnIn(value), slots: {}, absentMs: {} };
  const slots: (readonly [string, Lsn])[] = [];
  for (const [name, at] of Object.entries(isObject(value["slots"]) ? value["slots"] : {})) {
    const position = lsnIn(at);
    if (position !== undefined) slots.push([name, position]);
  }
  return {
    position: lsnIn(value["optime"]),
    slots: Object.fromEntries(slots),
    absentMs: parseAbsent(value),
  };
}

/** A name without its time was retained by a Patroni leader: its absence is counted from now. */
function parseAbsent(value: JsonObject): ClusterStatus["absentMs"] {
  const names = Array.isArray(value["retain_slots"]) ? (value["retain_slots"] as unknown[]) : [];
  const spans = isObject(value["absent_s"]) ? value["absent_s"] : {};
  return Object.fromEntries(
    names
      .filter((name) => typeof name === "string")
      .map((name) => [name, Math.max(0, integerIn(spans[name]) ?? 0) * 1000]),
  );
}

export const printHistory = (rows: readonly HistoryRow[]): string =>
  printJson(rows.map(historyCells));

function historyCells(row: HistoryRow): readonly unknown[] {
  const cells = [row.timeline, row.lsn, row.reason];
  if (row.newLeader !== undefined) return [...cells, row.at ?? "", row.newLeader];
  return row.at === undefined ? cells : [...cells, row.at];
}

export function parseHistoryRows(text: string | undefined): readonly HistoryRow[] {
  const value = text === undefined ? undefined : parseJson(text);
  if (!Array.isArray(value)) return [];
  return value.flatMap((cells: unknown) => {
    if (!Array.isArray(cells)) return [];
    const [timeline, at] = [integerIn(cells[0]), lsnIn(cells[1])];
    if (timeline === undefined || at === undefined) return [];
    const reason = scalarText(cells[2]);
    return [{ timeline, lsn: at, reason, at: textIn(cells[3]), newLeader: textIn(cells[4]) }];
  });
}

export const printLineage = (branches: readonly Branch[]): string =>
  printJson(branches.map((b) => ({ ...b, forkLsn: printLsn(b.forkLsn) })));

/** Reads `lineage`; answers undefined when any part of it cannot be read. */
export function parseLineage(text: string): readonly Branch[] | undefined {
  const value = parseJson(text);
  if (!Array.isArray(value)) return undefined;
  const branches: Branch[] = [];
  for (const row of value as readonly unknown[]) {
    if (!isObject(row)) return undefined;
    const [timeline, parent] = [integerIn(row["timeline"]), integerIn(row["parent"])];
    const [forkLsn, term] = [parseLsn(scalarText(row["forkLsn"])), integerIn(row["term"])];
    if (timeline === undefined || parent === undefined) return undefined;
    if (forkLsn === undefined || term === undefined) return undefined;
    branches.push({ timeline, parent, forkLsn, term });
  }
  return branches;
}

export const printFailover = (intent: FailoverIntent): string =>
  printJson({
    leader: intent.leader,
    member: intent.candidate,
    scheduled_at: intent.scheduledAt,
  });

/** Reads what a person asked for; an empty object means that nothing is asked. */
export function parseFailover(text: string | undefined): FailoverIntent | undefined {
  if (text === undefined) return undefined;
  const value = parseJson(text);
  if (!isObject(value)) return parseOldFailover(text);
  const leader = textIn(value["leader"]);
  const candidate = textIn(value["member"]) ?? textIn(value["candidate"]);
  if (leader === undefined && candidate === undefined) return undefined;
  return { leader, candidate, ...scheduled(textIn(value["scheduled_at"])) };
}

/** The old form is `leader:candidate`, either part may be empty. */
function parseOldFailover(text: string): FailoverIntent | undefined {
  const [leader = "", candidate = ""] = text.trim().split(":");
  if (leader === "" && candidate === "") return undefined;
  return { leader: textIn(leader), candidate: textIn(candidate), ...scheduled(undefined) };
}

/**
 * A schedule that cannot be read must not become "now": such a switchover lies infinitely far ahead
 * until a person writes it again.
 */
const scheduled = (text: string | undefined) => ({
  scheduledAt: text,
  scheduledAtMs: text === undefined ? undefined : (parseRfc3339(text) ?? Number.MAX_SAFE_INTEGER),
});

/** The value of `sync` in Patroni's form: the standbys are one sorted text. */
export const printSync = (state: SyncState): string =>
  JSON.stringify({
    leader: state.leader,
    quorum: state.quorum,
    sync_standby: state.standbys.length === 0 ? null : state.standbys.toSorted().join(","),
  });

/** Nobody bears this name: where the key cannot be read, nobody of ours may be elected on the strength of it. */
const UNREADABLE: SyncState = { leader: "?", standbys: [], quorum: 0 };

/** Reads `sync`; an absent key, or one without a leader, means that synchronous replication is off. */
export function parseSync(text: string | undefined): SyncState | undefined {
  if (text === undefined) return undefined;
  const value = parseJson(text);
  if (!isObject(value)) return UNREADABLE;
  const leader = textIn(value["leader"]);
  if (leader === undefined) return undefined;
  const list = textIn(value["sync_standby"]) ?? "";
  const standbys = list.split(",").filter((name) => name !== "" && name !== leader);
  return { leader, standbys, quorum: integerIn(value["quorum"]) ?? 0 };
}

/** Who may race (R28), in the form of Patroni's `failsafe` key; undefined when it is absent or unreadable. */
export function parseRoster(text: string | undefined): Roster | undefined {
  const value = text === undefined ? undefined : parseJson(text);
  if (!isObject(value)) return undefined;
  const rows = Object.entries(value).map(
    ([name, url]) => [name, baseUrl(textIn(url) ?? "")] as const,
  );
  return Object.fromEntries(rows);
}

/** One text for one list: names in order. */
export function printRoster(roster: Roster): string {
  const rows = Object.entries(roster).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return printJson(Object.fromEntries(rows.map(([name, url]) => [name, `${url}${API_PATH}`])));
}

/** The value of `unguarded`. */
export const printUnguarded = ({ member, term, sinceMs, host, port, apiUrl }: Unguarded): string =>
  printJson({
    member,
    term,
    since: sinceMs === undefined ? undefined : printRfc3339(sinceMs),
    host,
    port,
    api_url: apiUrl,
  });

/** Reads `unguarded`. One that cannot be read names nobody, and so keeps everybody from racing. */
export function parseUnguarded(text: string | undefined): Unguarded | undefined {
  if (text === undefined) return undefined;
  const value = parseJson(text);
  const read = isObject(value) ? value : {};
  const since = textIn(read["since"]);
  return {
    member: textIn(read["member"]) ?? "?",
    term: integerIn(read["term"]) ?? 0,
    sinceMs: since === undefined ? undefined : parseRfc3339(since),
    host: textIn(read["host"]) ?? "",
    port: integerIn(read["port"]) ?? 0,
    apiUrl: textIn(read["api_url"]) ?? "",
  };
}
