// Is this dynamic configuration usable, and what exactly does it say?
import { type DynamicConfig, defaultsFor } from "../config.ts";
import { readFields } from "./config-fields.ts";
import type { ConfigProblem, ConfigRules } from "./config-rules.ts";
import { warningsBeside } from "./config-site.ts";
import { readSyncSettings } from "./config-sync.ts";
import { fitTimings } from "./config-timings.ts";
import { isObject, type JsonObject } from "./json.ts";

export type ParsedConfig =
  | { readonly kind: "ok"; readonly config: DynamicConfig; readonly warnings: readonly string[] }
  | { readonly kind: "refused"; readonly problems: readonly ConfigProblem[] };

/** Reads the value of the `config` key, or the object made from a file or a PATCH. */
export function parseConfig(input: string | JsonObject, rules: ConfigRules): ParsedConfig {
  const raw = typeof input === "string" ? objectIn(input) : input;
  if (raw === undefined || !isObject(raw)) {
    return refused([{ path: "", what: "not a JSON object", why: "settings are named fields" }]);
  }
  const { values, problems, warnings } = readFields(raw);
  const timings = fitTimings(values, raw, rules);
  const sync = readSyncSettings(raw, rules);
  problems.push(...sync.problems);
  if (rules.mode === "strict") problems.push(...timings.problems);
  if (problems.length > 0) return refused(problems);
  const bent = timings.problems.map((p) => `${p.path}: ${p.what}, ${p.why}`);
  const config = {
    ...defaultsFor(rules.allOurs),
    ...values,
    ...timings.values,
    ...sync.values,
    raw,
  };
  return {
    kind: "ok",
    config,
    warnings: [...warnings, ...timings.warnings, ...sync.warnings, ...warningsBeside(raw), ...bent],
  };
}

const refused = (problems: readonly ConfigProblem[]): ParsedConfig => ({
  kind: "refused",
  problems,
});

/** One line a problem, for people. */
export const printProblem = (p: ConfigProblem): string =>
  `${p.path === "" ? "configuration" : p.path}: ${p.what} (${p.why})`;

function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Merges a PATCH into the stored object: objects merge field by field, null deletes, all else replaces. */
export function patchConfig(raw: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(raw));
  for (const [name, change] of Object.entries(patch)) {
    const old = merged.get(name);
    if (change === null) merged.delete(name);
    else if (isObject(change)) merged.set(name, patchConfig(isObject(old) ? old : {}, change));
    else merged.set(name, change);
  }
  return Object.fromEntries(merged);
}
