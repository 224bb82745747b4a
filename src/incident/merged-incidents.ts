// How do incidents that were told before and those that are told now become one list?
//
// A node that was away comes back and adds its part; an old file of events goes and takes one along. The id that a
// person has seen stays, and so does an acknowledgement.
import {
  type Acknowledgement,
  type CauseCode,
  type Incident,
  type IncidentKind,
  isOnPurpose,
} from "./incident.ts";

/** Two tellings of one trouble begin this close together. */
const SAME_MS = 20_000;

/** Oldest first. Those that were told before and can no longer be told anew stay as they were. */
export function mergeIncidents(
  kept: readonly Incident[],
  fresh: readonly Incident[],
): readonly Incident[] {
  const merged: Incident[] = [];
  for (const incident of [...kept, ...fresh]) {
    const at = merged.findIndex((other) => isSame(other, incident));
    const before = merged[at];
    if (before === undefined) merged.push(incident);
    else merged[at] = joined(before, incident);
  }
  return merged.toSorted((a, b) => a.startedAt - b.startedAt);
}

function isSame(a: Incident, b: Incident): boolean {
  if (a.id === b.id) return true;
  const [first, second] = a.startedAt <= b.startedAt ? [a, b] : [b, a];
  // The one was over when the other began.
  if (first.endedAt !== undefined && first.endedAt < second.startedAt) return false;
  if (a.term !== undefined && b.term !== undefined) return a.term === b.term;
  return Math.abs(a.startedAt - b.startedAt) <= SAME_MS;
}

/** The later telling, unless it knows less; under the smaller id, so that all members come to the same one. */
function joined(a: Incident, b: Incident): Incident {
  const knowsMore =
    a.endedAt === undefined ||
    (b.missing.length <= a.missing.length && b.lines.length >= a.lines.length);
  const told = knowsMore ? b : a;
  return {
    ...told,
    id: a.id < b.id ? a.id : b.id,
    acknowledged: earlier(a.acknowledged, b.acknowledged),
  };
}

function earlier(
  a: Acknowledgement | undefined,
  b: Acknowledgement | undefined,
): Acknowledgement | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.at <= b.at ? a : b;
}

/** Of what a person should know while looking at the cluster. */
export interface IncidentSummary {
  /** It goes on. */
  readonly ongoing: number;
  /** Nobody has said yet that it was looked at; planned operations need no such word. */
  readonly unacknowledged: number;
  /** What they were and why, of those that go on or that nobody has looked at. */
  readonly open: readonly { readonly kind: IncidentKind; readonly cause: CauseCode }[];
  readonly latest: { readonly id: string; readonly title: string } | undefined;
}

export function summaryOf(incidents: readonly Incident[]): IncidentSummary {
  const unseen = incidents.filter(isUnseen);
  const open = incidents.filter((one) => one.endedAt === undefined || unseen.includes(one));
  const last = unseen.at(-1);
  return {
    ongoing: incidents.filter(({ endedAt }) => endedAt === undefined).length,
    unacknowledged: unseen.length,
    open: open.map(({ kind, cause }) => ({ kind, cause: cause.code })),
    latest: last === undefined ? undefined : { id: last.id, title: last.title },
  };
}

const isUnseen = (incident: Incident): boolean =>
  incident.acknowledged === undefined && (!isOnPurpose(incident) || incident.endedAt === undefined);
