// What does the configuration say about synchronous replication, and can it be meant?
import type { DynamicConfig } from "../config.ts";
import { ROOM_FOR_MEMBERS } from "../parameter-minimums.ts";
import type { ConfigProblem, ConfigRules } from "./config-rules.ts";
import { booleanIn, isObject, type JsonObject } from "./json.ts";

type Values = Partial<
  Pick<
    DynamicConfig,
    "synchronousMode" | "synchronousModeStrict" | "synchronousNodeCount" | "maximumLagOnSyncnode"
  >
>;

export interface SyncSettings {
  readonly values: Values;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
}

/** The names as they stand in the configuration. */
export const SYNC_SETTINGS = [
  "synchronous_mode",
  "synchronous_mode_strict",
  "synchronous_node_count",
  "maximum_lag_on_syncnode",
] as const;

const MOST_STANDBYS = ROOM_FOR_MEMBERS - 1;

/** Reads the four settings; a user's own synchronous_standby_names beside them is refused, or ignored when stored. */
export function readSyncSettings(raw: JsonObject, rules: ConfigRules): SyncSettings {
  const problems: ConfigProblem[] = [];
  const values: { -readonly [K in keyof Values]: Values[K] } = {};
  const given = (name: (typeof SYNC_SETTINGS)[number]): unknown => raw[name] ?? undefined;
  const refuse = (path: string, what: unknown, why: string): void => {
    problems.push({ path, what: JSON.stringify(what) ?? String(what), why });
  };

  const mode = modeIn(given("synchronous_mode"));
  if (mode === undefined)
    refuse("synchronous_mode", given("synchronous_mode"), "must be off, on or quorum");
  else values.synchronousMode = mode;

  const strict = given("synchronous_mode_strict");
  const isStrict = strict === undefined ? false : booleanIn(strict);
  if (isStrict === undefined) refuse("synchronous_mode_strict", strict, "must be true or false");
  else values.synchronousModeStrict = isStrict;

  const count = given("synchronous_node_count");
  const wanted = count === undefined ? 1 : wholeNumber(count);
  if (wanted === undefined || wanted < 1)
    refuse("synchronous_node_count", count, "must be a whole number, one or more");
  else if (wanted > MOST_STANDBYS) {
    const why = `a cluster has at most ${MOST_STANDBYS} standbys: no commit could ever be acknowledged`;
    refuse("synchronous_node_count", count, why);
  } else values.synchronousNodeCount = wanted;

  const lag = given("maximum_lag_on_syncnode");
  const most = lag === undefined ? -1 : wholeNumber(lag);
  if (most === undefined || most < -1)
    refuse("maximum_lag_on_syncnode", lag, "must be a number of bytes, or -1 for no limit");
  else values.maximumLagOnSyncnode = most > 0 ? most : undefined;

  const warnings: string[] = [];
  const path = "postgresql.parameters.synchronous_standby_names";
  const names = ownNames(raw);
  if (names !== undefined && mode !== undefined && mode !== "off") {
    const why =
      "the agent writes it while synchronous_mode is on: leave it out, or set the mode off";
    if (rules.mode === "strict") refuse(path, names, why);
    else warnings.push(`${path}: ignored, ${why}`);
  }
  return { values, problems, warnings };
}

/** Patroni's true and false are accepted, and "quorum" is its own word. */
function modeIn(value: unknown): DynamicConfig["synchronousMode"] | undefined {
  if (value === undefined) return "off";
  if (typeof value === "string" && value.toLowerCase() === "quorum") return "quorum";
  const flag = booleanIn(value);
  if (flag === undefined) return undefined;
  return flag ? "on" : "off";
}

function wholeNumber(value: unknown): number | undefined {
  const n = typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof n === "number" && Number.isSafeInteger(n) ? n : undefined;
}

function ownNames(raw: JsonObject): unknown {
  const postgresql = raw["postgresql"];
  const parameters = isObject(postgresql) ? postgresql["parameters"] : undefined;
  if (!isObject(parameters)) return undefined;
  const entry = Object.entries(parameters).find(
    ([name]) => name.toLowerCase() === "synchronous_standby_names",
  );
  return entry?.[1] ?? undefined;
}
