// Base backups and restores as tasks: the input is checked here, the work is done in the room of backups.
import { work } from "../backup/work.ts";
import type { RestoreWish, WishedTarget, WorkAnswer, WorkRequest } from "../model/backup-words.ts";
import { AppError } from "../model/error.ts";
import { isObject } from "../model/wire/json.ts";
import type { Task, TaskContext } from "./task.ts";

type Input = Readonly<Record<string, unknown>>;

/** PostgreSQL's own bounds of MAX_RATE, in kilobytes a second. */
const RATE = { least: 32, most: 1_048_576 };

const carryOut = (context: TaskContext, request: WorkRequest): Promise<WorkAnswer> =>
  work(request, {
    ...context,
    onProgress: ({ phase, doneBytes, totalBytes }) =>
      context.progress({ step: phase, doneBytes, totalBytes: Math.max(doneBytes, totalBytes) }),
  });

export const takeBackup: Task = (context, input) => {
  const label = textIn(input, "label") ?? "";
  if (label.length > 100 || /\p{Cc}/u.test(label)) throw wrong("label", "at most 100 characters");
  const maxRateKb = rateIn(input);
  const more = maxRateKb === undefined ? {} : { maxRateKb };
  return carryOut(context, { do: "take", label, ...repoIn(input), ...more });
};

export const listBackups: Task = (context, input) =>
  carryOut(context, { do: "list", ...repoIn(input) });

export const verifyBackup: Task = (context, input) =>
  carryOut(context, {
    do: "verify",
    ...repoIn(input),
    ...named(input, "id"),
    wal: input["wal"] === true,
  });

export const restoreBackup: Task = (context, input) =>
  carryOut(context, { do: "restore", ...wishIn(input) });

function wishIn(input: Input): RestoreWish {
  const targetDir = textIn(input, "targetDir") ?? "";
  if (!targetDir.startsWith("/")) throw wrong("targetDir", "a whole path");
  const { action, timeline } = input;
  if (action !== "promote" && action !== "pause" && action !== "shutdown") {
    throw wrong("action", "promote, pause or shutdown");
  }
  if (timeline !== undefined && !Number.isSafeInteger(timeline))
    throw wrong("timeline", "a number");
  return {
    ...repoIn(input),
    ...named(input, "id"),
    ...named(input, "identityFile"),
    ...named(input, "systemId"),
    ...(timeline === undefined ? {} : { timeline: Number(timeline) }),
    targetDir,
    to: targetIn(input["to"]),
    tablespaces: placesIn(input["tablespaces"]),
    action,
    isPreview: input["isPreview"] === true,
  };
}

export function targetIn(value: unknown): WishedTarget {
  const kind = isObject(value) ? value["kind"] : undefined;
  const at = isObject(value) ? value["at"] : undefined;
  if (kind === "backup" || kind === "latest") return { kind };
  if (kind !== "time" && kind !== "lsn" && kind !== "xid" && kind !== "name") {
    throw wrong("to", "a target: backup, latest, time, lsn, xid or name");
  }
  if (typeof at !== "string") throw wrong("to", "a target with its place as a text");
  return { kind, at };
}

function placesIn(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(isObject(value) ? value : {});
  const places = entries.map(([old, place]) => {
    if (typeof place === "string" && place.startsWith("/")) return [old, place] as const;
    throw wrong("tablespaces", "whole paths");
  });
  return Object.fromEntries(places);
}

function rateIn(input: Input): number | undefined {
  const rate = input["maxRateKb"];
  if (rate === undefined) return undefined;
  const isRight = typeof rate === "number" && Number.isSafeInteger(rate);
  if (isRight && rate >= RATE.least && rate <= RATE.most) return rate;
  throw wrong("maxRateKb", `a whole number from ${RATE.least} to ${RATE.most}`);
}

function textIn(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || typeof value === "string") return value;
  throw wrong(name, "a text");
}

const repoIn = (input: Input): { readonly repo?: string } => named(input, "repo");

export function named<N extends string>(input: Input, name: N): { readonly [K in N]?: string } {
  const value = textIn(input, name);
  return (value === undefined ? {} : { [name]: value }) as { readonly [K in N]?: string };
}

const wrong = (name: string, wanted: string): AppError =>
  new AppError("NOT_POSSIBLE", "reading what is wished", `${name} must be ${wanted}`);
