// Which patch leads from one configuration to another, or from `a.b=c` to a change?
import { parse } from "yaml";
import { isObject, type JsonObject } from "../model/wire/json.ts";
import { CliFailure, EXIT } from "./exit.ts";

/** `postgresql.parameters.work_mem=64MB`: dots go deeper, values are YAML, null deletes. */
export function patchOf(assignments: readonly string[]): JsonObject {
  const patch: Record<string, unknown> = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf("=");
    if (at < 1) throw new CliFailure(EXIT.usage, `"${assignment}" is not setting=value`);
    put(patch, assignment.slice(0, at).split("."), parse(assignment.slice(at + 1)) as unknown);
  }
  return patch;
}

function put(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name = "", ...rest] = path;
  if (rest.length === 0) {
    into[name] = value;
    return;
  }
  const inner: Record<string, unknown> = isObject(into[name]) ? { ...into[name] } : {};
  into[name] = inner;
  put(inner, rest, value);
}

/** The smallest merge patch: what is gone becomes null. */
export function patchBetween(before: JsonObject, after: JsonObject): JsonObject {
  const patch: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, wanted] = [before[name], after[name]];
    if (JSON.stringify(old) === JSON.stringify(wanted)) continue;
    if (wanted === undefined) patch[name] = null;
    else patch[name] = isObject(old) && isObject(wanted) ? patchBetween(old, wanted) : wanted;
  }
  return patch;
}

/** Lines that went and lines that came, in the order of the texts. */
export function lineDiff(before: string, after: string): string {
  const [old, wanted] = [before.trimEnd().split("\n"), after.trimEnd().split("\n")];
  const gone = old.filter((line) => !wanted.includes(line)).map((line) => `- ${line}`);
  const come = wanted.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  return [...gone, ...come].join("\n");
}
