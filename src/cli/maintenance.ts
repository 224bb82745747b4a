// What do members say about maintenance: what runs now, which restarts wait, how large a table is?
import type { RelationFacts } from "../model/maintenance/estimate.ts";
import type { Relation } from "../model/maintenance/judgement.ts";
import { type Flagged, flaggedIn, type RunningFacts } from "../model/maintenance/running.ts";
import { isObject } from "../model/wire/json.ts";
import type { StatusJson } from "../model/wire/status.ts";
import { CliFailure, EXIT, failureOf } from "./exit.ts";
import { change, leaderOf, listIn, look, plainJson } from "./rest.ts";
import type { Target } from "./target.ts";

const LIMIT_MS = 12_000;

/** A restart that waits: it will keep writes waiting where it meets the primary. */
export interface WaitingRestart {
  readonly member: string;
  readonly leads: boolean;
  readonly why: string;
  readonly at?: string;
  readonly instead: string;
}

export interface MaintenanceNow {
  readonly asOf: string;
  readonly primary: string;
  readonly flagged: readonly Flagged[];
  readonly restarts: readonly WaitingRestart[];
}

const LOCKED = "somebody holds a lock on it";

export async function maintenanceNow(target: Target): Promise<MaintenanceNow> {
  const status = await look(target);
  const primary = leaderOf(status);
  const url = `${primary.apiUrl}/understudy/maintenance`;
  const answer = await change(target, { method: "POST", url, timeoutMs: LIMIT_MS });
  const told = listIn(answer);
  if (told === undefined) {
    const what = `${primary.name} did not say what runs there`;
    throw new CliFailure(EXIT.unreachable, what, answer.body);
  }
  return {
    asOf: status.asOf,
    primary: primary.name,
    flagged: flaggedIn(told.items as readonly RunningFacts[]),
    restarts: restartsIn(status),
  };
}

const restartsIn = ({ members }: StatusJson): readonly WaitingRestart[] =>
  members.flatMap(({ name: member, leads, pendingRestart, scheduledRestart: at }) => {
    const instead = leads
      ? "understudy restart --rolling --switchover: a switchover instead of an outage"
      : "nothing: it is a standby, and writes go on";
    const what = pendingRestart.join(", ");
    return [
      ...(at === undefined ? [] : [{ member, leads, why: "it is scheduled", at, instead }]),
      ...(what === "" ? [] : [{ member, leads, why: `${what} waits for it`, instead }]),
    ];
  });

/** A relation as it was looked up, or why it was not. */
export type Looked =
  | { readonly facts: RelationFacts; readonly why?: never }
  | { readonly facts?: never; readonly why: string };

/** Never throws: a statement is judged by its words all the same. */
export async function relationOf(
  target: Target,
  database: string,
  { name }: Relation,
): Promise<Looked> {
  const { apiUrl } = leaderOf(await look(target));
  const url = `${apiUrl}/understudy/maintenance/relation`;
  try {
    const body = { database, name };
    const answer = await change(target, { method: "POST", url, body, timeoutMs: LIMIT_MS });
    const value = plainJson(answer.body);
    if (isObject(value)) return { facts: value["item"] as RelationFacts };
    return { why: "the answer could not be read" };
  } catch (error) {
    const lines = failureOf(error).lines;
    return {
      why: lines.find((line) => line.includes("55P03")) ? LOCKED : lines.slice(1).join(": "),
    };
  }
}
