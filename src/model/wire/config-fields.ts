// Which settings do we know, and is each of the right kind?
import type { DynamicConfig } from "../config.ts";
import { neededInstead, ROOM_FOR_MEMBERS } from "../parameter-minimums.ts";
import { RECOVERY_PARAMETERS } from "../settings-recovery.ts";
import { readPauseNote } from "./config-pause.ts";
import type { ConfigProblem } from "./config-rules.ts";
import { readStandbyCluster } from "./config-site.ts";
import { readIgnoredSlots, readPermanentSlots } from "./config-slots.ts";
import { SYNC_SETTINGS } from "./config-sync.ts";
import { parseDuration } from "./duration.ts";
import { booleanIn, isObject, type JsonObject } from "./json.ts";

type Values = Partial<Omit<DynamicConfig, "raw">>;
type Reader<T> = (value: unknown) => T | string;

interface Fields {
  readonly values: Values;
  readonly problems: ConfigProblem[];
  readonly warnings: string[];
}

const DAY_MS = 86_400_000;

/** Reads a value or answers the sentence that says what it should have been. */
const durationUpTo =
  (mostMs: number): Reader<number> =>
  (value) => {
    const ms = parseDuration(value);
    if (ms === undefined) return "must be a number of seconds, zero or more";
    return ms <= mostMs ? ms : `must not exceed ${mostMs / 1000} seconds`;
  };

/** Two looks must fit into it. */
const LEAST_ISOLATION_MS = 2_000;
const isolationTimeout: Reader<number> = (value) => {
  const ms = durationUpTo(DAY_MS)(value);
  if (typeof ms === "string" || ms === 0 || ms >= LEAST_ISOLATION_MS) return ms;
  return `must be 0 or at least ${LEAST_ISOLATION_MS / 1000} seconds`;
};

const flag: Reader<boolean> = (value) => booleanIn(value) ?? "must be true or false";

const count: Reader<number> = (value) => {
  const n = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof n !== "number" || !Number.isSafeInteger(n)) return "must be a whole number";
  return n >= 0 ? n : "must not be negative";
};

/** How a server parameter's value is written in PostgreSQL's own files. */
function parameterText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "number" && Number.isFinite(value) ? String(value) : undefined;
}

const parameters: Reader<Readonly<Record<string, string>>> = (value) => {
  if (!isObject(value)) return "must be a map of parameters";
  const texts: (readonly [string, string])[] = [];
  for (const [name, given] of Object.entries(value)) {
    if (given === null) continue;
    const text = parameterText(given);
    if (text === undefined) return `${name} must be a text, a number or a boolean`;
    if (!/^[A-Za-z_][A-Za-z0-9_.$]*$/.test(name)) return `${name} is not a parameter's name`;
    const needed = neededInstead(name, text, ROOM_FOR_MEMBERS);
    if (needed !== undefined) return `${name} must be at least ${needed}`;
    texts.push([name, text]);
  }
  return Object.fromEntries(texts);
};

/** Patroni's older place for what are parameters of the server by now. */
const recoveryParameters: Reader<Readonly<Record<string, string>>> = (value) => {
  const read = parameters(value);
  if (typeof read === "string") return read;
  return Object.fromEntries(
    Object.entries(read).filter(([name]) => RECOVERY_PARAMETERS.includes(name.toLowerCase())),
  );
};

const lines: Reader<readonly string[]> = (value) => {
  if (!Array.isArray(value)) return "must be a list of lines";
  const texts = value.filter(
    (line: unknown): line is string => typeof line === "string" && !line.includes("\n"),
  );
  return texts.length === value.length ? texts : "must be a list of single lines of text";
};

const asking: Reader<boolean> = (value) =>
  value === "ask" || (value === "automatic" ? false : 'must be "automatic" or "ask"');

/** Of two names for one setting the first one present wins. */
const TOP: readonly (readonly [keyof Values, readonly string[], Reader<unknown>])[] = [
  ["ttlMs", ["ttl"], durationUpTo(DAY_MS)],
  ["loopWaitMs", ["loop_wait"], durationUpTo(DAY_MS)],
  ["retryTimeoutMs", ["retry_timeout"], durationUpTo(DAY_MS)],
  ["maximumLagOnFailover", ["maximum_lag_on_failover"], count],
  ["checkTimeline", ["check_timeline"], flag],
  ["asksBeforeFailover", ["failover"], asking],
  ["paused", ["pause"], flag],
  ["pauseNote", ["pause_note"], readPauseNote],
  ["failsafeMode", ["failsafe_mode"], flag],
  ["isolationMs", ["isolation_timeout"], isolationTimeout],
  [
    "primaryStartTimeoutMs",
    ["primary_start_timeout", "master_start_timeout"],
    durationUpTo(30 * DAY_MS),
  ],
  [
    "primaryStopTimeoutMs",
    ["primary_stop_timeout", "master_stop_timeout"],
    durationUpTo(30 * DAY_MS),
  ],
  ["maxTimelinesHistory", ["max_timelines_history"], count],
  ["memberSlotsTtlMs", ["member_slots_ttl"], durationUpTo(365 * DAY_MS)],
  [
    "permanentSlots",
    ["slots", "permanent_slots", "permanent_replication_slots"],
    readPermanentSlots,
  ],
  ["ignoredSlots", ["ignore_slots"], readIgnoredSlots],
  ["standbyCluster", ["standby_cluster"], readStandbyCluster],
];

const POSTGRESQL: readonly (readonly [keyof Values, readonly string[], Reader<unknown>])[] = [
  ["usePgRewind", ["use_pg_rewind"], flag],
  ["useSlots", ["use_slots"], flag],
  ["parameters", ["parameters"], parameters],
  ["pgHba", ["pg_hba"], lines],
  ["pgIdent", ["pg_ident"], lines],
  ["recoveryParameters", ["recovery_conf"], recoveryParameters],
];

const KEPT: readonly string[] = ["postgresql", ...SYNC_SETTINGS, "primary_race_backoff"];

/** Reads every known field of a configuration object; nothing is taken from a field that is wrong. */
export function readFields(raw: JsonObject): Fields {
  const fields: Fields = { values: {}, problems: [], warnings: [] };
  readTable({ table: TOP, from: raw, prefix: "" }, fields);
  const postgresql = raw["postgresql"];
  if (isObject(postgresql))
    readTable({ table: POSTGRESQL, from: postgresql, prefix: "postgresql." }, fields);
  else if (postgresql !== undefined && postgresql !== null) {
    fields.problems.push({ path: "postgresql", what: shown(postgresql), why: "must be a map" });
  }
  warnOfOthers(raw, fields.warnings);
  warnOfSlots(fields);
  warnOfBackoff(raw, fields.warnings);
  return fields;
}

/** A level that was chosen is kept, and then logical slots cannot be made. */
function warnOfSlots({ values, warnings }: Fields): void {
  const level = values.parameters?.["wal_level"];
  const isLogical = values.permanentSlots?.some(({ logical }) => logical !== undefined) === true;
  if (isLogical && level !== undefined && level !== "logical")
    warnings.push(`slots: logical ones need wal_level logical, not ${level}`);
}

/** It lets rivals wait for a live primary whose agent is frozen. Ours has a fence, which ends it in time. */
function warnOfBackoff({ primary_race_backoff: asked }: JsonObject, warnings: string[]): void {
  if (asked === undefined || asked === null || Number(asked) === 0) return;
  warnings.push(
    "primary_race_backoff: has no effect, because the fence ends the server of a frozen agent before anybody races",
  );
}

interface Table {
  readonly table: typeof TOP;
  readonly from: JsonObject;
  /** Where the table stands, for the path of a problem. */
  readonly prefix: string;
}

function readTable({ table, from, prefix }: Table, into: Fields): void {
  for (const [field, names, read] of table) {
    const name = names.find((n) => from[n] !== undefined && from[n] !== null);
    if (name === undefined) continue;
    const value = read(from[name]);
    if (typeof value === "string") {
      into.problems.push({ path: `${prefix}${name}`, what: shown(from[name]), why: value });
    } else Object.assign(into.values, { [field]: value });
  }
}

function warnOfOthers(raw: JsonObject, warnings: string[]): void {
  const known = new Set([...TOP.flatMap(([, names]) => names), ...KEPT]);
  for (const name of Object.keys(raw)) {
    if (!known.has(name)) warnings.push(`${name}: not a setting that is known here, it is kept`);
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
