// What does the body of a switchover or failover ask for, and is that possible at all?
import type { FailoverIntent } from "../../model/cluster.ts";
import { type JsonObject, textIn } from "../../model/wire/json.ts";
import { parseRfc3339 } from "../../model/wire/rfc3339.ts";
import { type RouteAnswer, text } from "./route.ts";

export type Action = "failover" | "switchover";

export interface Wish {
  readonly action: Action;
  readonly intent: FailoverIntent;
}

interface Circumstances {
  readonly paused: boolean;
  readonly wallMs: number;
}

/** The wish, or the answer that refuses it. A failover that names a leader is a switchover. */
export function parseWish(
  asked: Action,
  body: JsonObject,
  { paused, wallMs }: Circumstances,
): Wish | RouteAnswer {
  const leader = textIn(body["leader"]);
  const candidate = textIn(body["candidate"]) ?? textIn(body["member"]);
  const scheduledAt = textIn(body["scheduled_at"]);
  const action = leader === undefined ? asked : "switchover";
  const refusal = objection(action, { leader, candidate, scheduledAt, paused });
  if (refusal !== undefined) return text(400, refusal);
  if (scheduledAt === undefined) {
    const now = { scheduledAt: undefined, scheduledAtMs: undefined };
    return { action, intent: { leader, candidate, ...now } };
  }
  const scheduledAtMs = parseRfc3339(scheduledAt);
  if (scheduledAtMs === undefined) return unreadable(scheduledAt);
  if (scheduledAtMs <= wallMs) return text(422, "a switchover can't be scheduled in the past");
  return { action, intent: { leader, candidate, scheduledAt, scheduledAtMs } };
}

interface Named {
  readonly leader: string | undefined;
  readonly candidate: string | undefined;
  readonly scheduledAt: string | undefined;
  readonly paused: boolean;
}

/** The words are Patroni's: its tools compare them. */
function objection(action: Action, named: Named): string | undefined {
  const { leader, candidate, scheduledAt, paused } = named;
  if (action === "failover") {
    if (candidate === undefined) return "Failover could be performed only to a specific candidate";
    return scheduledAt === undefined ? undefined : "Failover can't be scheduled";
  }
  if (leader === undefined) return "Switchover could be performed only from a specific leader";
  if (leader === candidate) return "Switchover target and source are the same";
  if (!paused) return undefined;
  if (scheduledAt !== undefined) return "Can't schedule switchover in the paused state";
  if (candidate !== undefined) return undefined;
  return "Switchover is possible only to a specific candidate in a paused state";
}

function unreadable(written: string): RouteAnswer {
  const onlyZoneMissing = parseRfc3339(`${written}Z`) !== undefined;
  return onlyZoneMissing
    ? text(400, "Timezone information is mandatory for the scheduled switchover")
    : text(422, `"${written}" is not a time: write it like 2026-11-30T04:00:00+00:00`);
}
