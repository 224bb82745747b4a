// How is a restart asked for in REST, and how does a scheduled one stand in a member's key?
import type { RestartFilter, ScheduledRestart } from "../restart.ts";
import { versionNumber } from "../restart.ts";
import type { Ms } from "../time.ts";
import { parseDuration } from "./duration.ts";
import { isObject, type JsonObject, scalarText, textIn } from "./json.ts";
import { parseRfc3339 } from "./rfc3339.ts";
import { restartRole } from "./role-filter.ts";

const KEYS = ["schedule", "role", "postgres_version", "timeout", "restart_pending"];

export interface RestartWish extends RestartFilter {
  readonly timeoutMs: Ms | undefined;
  /** For later: as it was written, and in wall-clock milliseconds. */
  readonly at: { readonly text: string; readonly wallMs: number } | undefined;
}

/** An HTTP status and why the wish is refused; the words are Patroni's where its tools read them. */
export interface RestartRefusal {
  readonly status: number;
  readonly why: string;
}

interface Circumstances {
  readonly paused: boolean;
  readonly wallMs: number;
}

export function parseRestartWish(
  body: JsonObject,
  circumstances: Circumstances,
): RestartWish | RestartRefusal {
  const why = objection(body);
  if (why !== undefined) return { status: 400, why };
  const timeout = body["timeout"];
  const version = body["postgres_version"];
  const filter = {
    role: restartRole(body["role"]),
    belowVersion: version === undefined ? undefined : scalarText(version),
    onlyPending: body["restart_pending"] !== undefined,
    timeoutMs: timeout === undefined ? undefined : parseDuration(timeout),
  };
  if (body["schedule"] === undefined) return { ...filter, at: undefined };
  const at = parseSchedule(body["schedule"], circumstances);
  return "why" in at ? at : { ...filter, at };
}

function objection(body: JsonObject): string | undefined {
  const stranger = Object.keys(body).find((key) => !KEYS.includes(key));
  if (stranger !== undefined) return `unknown filter: ${stranger}`;
  const { role, postgres_version: version, timeout } = body;
  if (role !== undefined && restartRole(role) === undefined)
    return "role is none that can be restarted";
  if (version !== undefined && versionNumber(scalarText(version)) === undefined) {
    return "postgres_version is not a version of PostgreSQL";
  }
  const timeoutMs = parseDuration(timeout);
  if (timeout === undefined || (timeoutMs !== undefined && timeoutMs > 0)) return undefined;
  return "timeout must be a number of seconds above zero";
}

function parseSchedule(
  written: unknown,
  { paused, wallMs }: Circumstances,
): { readonly text: string; readonly wallMs: number } | RestartRefusal {
  const text = scalarText(written);
  const at = parseRfc3339(text);
  if (at === undefined) {
    const onlyZoneMissing = parseRfc3339(`${text}Z`) !== undefined;
    return onlyZoneMissing
      ? { status: 400, why: "Timezone information is mandatory for the scheduled restart" }
      : { status: 422, why: `"${text}" is not a time: write it like 2026-11-30T04:00:00+00:00` };
  }
  if (at <= wallMs) return { status: 422, why: "a restart can't be scheduled in the past" };
  if (paused) return { status: 500, why: "Can't schedule restart in the paused state" };
  return { text, wallMs: at };
}

/** Patroni's fields: its tools show them, and take the restart back. */
export const printScheduledRestart = (planned: ScheduledRestart): JsonObject => ({
  schedule: planned.at,
  postmaster_start_time: planned.serverStartedAt,
  role: planned.role,
  postgres_version: planned.belowVersion,
  timeout: planned.timeoutMs === undefined ? undefined : planned.timeoutMs / 1000,
  restart_pending: planned.onlyPending ? true : undefined,
});

/** Reads another member's; undefined when there is none that can be read. */
export function parseScheduledRestart(value: unknown): ScheduledRestart | undefined {
  if (!isObject(value)) return undefined;
  const at = scalarText(value["schedule"]);
  const atMs = parseRfc3339(at);
  if (atMs === undefined) return undefined;
  return {
    at,
    atMs,
    role: textIn(value["role"]),
    belowVersion: textIn(value["postgres_version"]),
    onlyPending: value["restart_pending"] !== undefined,
    timeoutMs: parseDuration(value["timeout"]),
    serverStartedAt: scalarText(value["postmaster_start_time"]),
  };
}
