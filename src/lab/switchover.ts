// How does a person ask the cluster to change its primary? Through the REST interface, like any tool.
import { AppError } from "../model/error.ts";
import { primaryOf } from "./health.ts";
import type { LabRecord } from "./record.ts";

/** A switchover waits for the standby to catch up, but not for ever. */
const LIMIT_MS = 60_000;

/** Asks the primary to hand over, to `candidate` or to the best standby; returns when it has answered. */
export async function requestSwitchover(lab: LabRecord, candidate?: string): Promise<void> {
  const leader = await primaryOf(lab);
  const attempt = `switch over to ${candidate ?? "the best standby"}`;
  if (leader === undefined) throw new AppError("NOT_POSSIBLE", attempt, "there is no primary now");
  const body = { leader: leader.member.name, ...(candidate === undefined ? {} : { candidate }) };
  const response = await fetch(`${leader.member.apiUrl}/switchover`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(LIMIT_MS),
  }).catch((error: unknown) => {
    throw new AppError("PEER_UNREACHABLE", attempt, leader.member.apiUrl, error);
  });
  const text = await response.text();
  if (!response.ok) throw new AppError("NOT_POSSIBLE", attempt, text);
}
