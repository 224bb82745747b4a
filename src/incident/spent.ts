// What spent the error budget? Each outage belongs to the incident of its time, if there is one.
import type { Outage } from "../model/budget.ts";
import { type Incident, isOnPurpose } from "./incident.ts";

/** A client's outage begins a little before an agent notices, and ends when its next attempt comes through. */
const AROUND_MS = 3_000;

/** The same outages with their incidents; those of a switchover or a game day were planned. */
export function attributed(
  outages: readonly Outage[],
  incidents: readonly Pick<
    Incident,
    "id" | "kind" | "cause" | "startedAt" | "endedAt" | "writableAt"
  >[],
): readonly Outage[] {
  return outages.map((outage) => {
    const found = incidents.findLast((incident) => overlaps(outage, incident));
    return found === undefined
      ? outage
      : { ...outage, incident: found.id, planned: isOnPurpose(found) };
  });
}

function overlaps(
  { from, to }: Outage,
  { startedAt, endedAt, writableAt }: Pick<Incident, "startedAt" | "endedAt" | "writableAt">,
): boolean {
  const end = Math.max(endedAt ?? Number.POSITIVE_INFINITY, writableAt ?? 0);
  return from <= end + AROUND_MS && (to ?? Number.POSITIVE_INFINITY) >= startedAt - AROUND_MS;
}
