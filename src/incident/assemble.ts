// Which incidents are in the events of all nodes? Pure: who asks the nodes, and where results lie, is not its matter.
import { eventText, type NodeEvent } from "../model/event.ts";
import { clockNotes, mergeEvents, type NodeEvents } from "../model/merged-events.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import { causeOf, subjectOf } from "./cause.ts";
import { checklistOf } from "./checklist.ts";
import { type Episode, episodesIn, isDeath } from "./episodes.ts";
import type { Incident, IncidentKind, Lane, Line } from "./incident.ts";
import { lossOf } from "./loss.ts";
import { meaningOf } from "./meaning.ts";
import { momentsOf, phasesOf, winnerOf } from "./moments.ts";

/** What the events cannot say by themselves. */
export interface Surroundings {
  readonly members: readonly string[];
  readonly routers: readonly string[];
  /** Nodes of the cluster that did not answer. */
  readonly missing: readonly string[];
}

/** More lines tell no better story; the middle is left out then. */
const MOST_LINES = 240;
/** So many deaths of one leader's server in one episode are a loop. */
const LOOP = 3;

/** Oldest first. */
export function assembleIncidents(
  parts: readonly NodeEvents[],
  around: Surroundings,
): readonly Incident[] {
  const caveats = [
    ...around.missing.map((name) => `${name} does not answer: its part of the story is missing`),
    ...clockNotes(parts),
  ];
  return episodesIn(mergeEvents(parts)).flatMap((episode) => {
    const kind = kindOf(episode);
    return kind === undefined ? [] : [incidentOf(episode, kind, { ...around, caveats })];
  });
}

/** Undefined for trouble that came to nothing: a router that suspected, a race that nobody had to win. */
export function kindOf(episode: Episode): IncidentKind | undefined {
  const { troubles, leaderBefore, leaderAfter } = episode;
  const reasons = new Set(troubles.flatMap((e) => (e.kind === "decision" ? [e.because] : [])));
  const deaths = troubles.filter(isDeath);
  const isPlanned = [...reasons].some((because) => meaningOf(because) === "planned");
  if (winnerOf(episode) !== undefined)
    return isPlanned && deaths.length === 0 ? "switchover" : "failover";
  if (leaderAfter === undefined && leaderBefore !== undefined)
    return [...reasons].some(isRefusal) ? "election-refused" : "failover";
  if (isPlanned) return "switchover";
  const own = deaths.filter(({ node }) => node === leaderBefore);
  if (own.length >= LOOP || reasons.has("crash_giving_up")) return "crash-loop";
  if (troubles.some((e) => e.kind === "fence")) return "fencing";
  if (own.length > 0 || reasons.has("server_hung") || reasons.has("lead_server_reset"))
    return "crash";
  if (troubles.some((e) => e.kind === "store")) return "store-outage";
  return deaths.length > 0 ? "standby-crash" : undefined;
}

const isRefusal = (because: string): boolean => meaningOf(because) === "refusal";

function incidentOf(
  episode: Episode,
  kind: IncidentKind,
  { caveats, members, routers, missing }: Surroundings & { readonly caveats: readonly string[] },
): Incident {
  const moments = momentsOf(episode);
  const winner = winnerOf(episode);
  const cause = causeOf(episode, kind, missing);
  const checklist = checklistOf({ episode, moments, cause, members, routers, missing });
  const writableAt = winner === undefined ? episode.overAt : moments.promoted;
  const from = subjectOf(episode, kind);
  const incident = {
    id: idOf(moments.began),
    kind,
    startedAt: moments.began,
    writableAt,
    endedAt: episode.overAt,
    from,
    to: winner?.node,
    term: winner?.term,
    phases: winner === undefined ? [] : phasesOf(moments),
    candidates: winner?.chosen === undefined ? refusals(episode) : winner.chosen.split("; "),
    cause,
    loss: lossOf(episode),
    checklist,
    missing,
    caveats,
    lines: linesOf(episode, winner?.node),
    acknowledged: undefined,
  };
  return {
    ...incident,
    title: titleOf(incident),
    followUps: followUpsOf(incident),
  };
}

/** `I-20261105-130709`. */
const idOf = (at: number): string =>
  `I-${printRfc3339(at).slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}`;

const NAMES: Readonly<Record<IncidentKind, string>> = {
  failover: "failover",
  switchover: "switchover (planned)",
  "election-refused": "no leader: every candidate was refused",
  "crash-loop": "the primary crashes again and again",
  crash: "the primary's server failed and came back in place",
  fencing: "the fence ended a server",
  "store-outage": "the store could not be read",
  "standby-crash": "a standby's server failed",
};

type Untitled = Omit<Incident, "title" | "followUps">;

function titleOf({ kind, from, to, cause }: Untitled): string {
  const who = to === undefined ? (from ?? "") : `${from ?? "?"} → ${to}`;
  const day = cause.code === "game_day" ? " (game day)" : "";
  return `${NAMES[kind]}${day}${who === "" ? "" : `: ${who}`}`;
}

/** Where nobody was elected: what each member said why it could not be. */
function refusals({ troubles }: Episode): readonly string[] {
  const last = new Map<string, string>();
  for (const event of troubles)
    if (event.kind === "decision" && isRefusal(event.because))
      last.set(event.node, eventText(event));
  return [...last].map(([node, why]) => `${node}: ${why}`);
}

function followUpsOf({ kind, endedAt, checklist, loss, cause, from, missing }: Untitled) {
  const open = checklist
    .filter(({ state }) => state === "open" || state === "failed")
    .map(({ what, how }) => `${what}: ${how}`);
  return [
    ...(endedAt === undefined ? ["it is not over: no primary is well yet"] : []),
    ...open,
    ...(loss?.acknowledged === "possible" && (loss.bytes ?? 0) > 0
      ? ["find out what was lost: compare what applications believe with the data"]
      : []),
    ...(kind !== "switchover" && cause.code === "unknown"
      ? [`find the cause: read the logs of ${from ?? "the nodes"}`]
      : []),
    ...missing.map((name) => `${name} has not told its part: look again when it is back`),
  ];
}

function linesOf(episode: Episode, winner: string | undefined): readonly Line[] {
  const all = episode.events.filter(isTold).map((event) => ({
    at: event.at,
    node: event.node,
    lane: laneOf(event, episode.leaderBefore, winner),
    text: eventText(event),
  }));
  return all.length <= MOST_LINES ? all : [...all.slice(0, MOST_LINES - 40), ...all.slice(-40)];
}

/** Steps that went well are in the decisions around them. */
const isTold = (event: NodeEvent): boolean =>
  !(event.kind === "step" && event.ok && event.step !== "promote" && event.step !== "release");

function laneOf(event: NodeEvent, from: string | undefined, to: string | undefined): Lane {
  if (event.kind === "store" || event.kind === "leader") return "store";
  if (event.kind === "route") return "routers";
  if (event.kind === "clients") return "clients";
  if (event.node === from) return "old primary";
  return event.node === to ? "new primary" : "standbys";
}
