// The checklist of a failover, as an engineer would work through it by hand: what was done, when, and how it is known.
import { printSpan } from "../model/amounts.ts";
import type { NodeEvent } from "../model/event.ts";
import type { Episode } from "./episodes.ts";
import type { Cause, Check } from "./incident.ts";
import { type Moments, winnerOf } from "./moments.ts";

export interface Situation {
  readonly episode: Episode;
  readonly moments: Moments;
  readonly cause: Cause;
  readonly members: readonly string[];
  readonly routers: readonly string[];
  readonly missing: readonly string[];
}

/** Empty where nobody else was elected. */
export function checklistOf(s: Situation): readonly Check[] {
  if (winnerOf(s.episode) === undefined && s.episode.leaderAfter !== undefined) return [];
  return [dead(s), chosen(s), promoted(s), routed(s), attached(s), single(s), explained(s)];
}

const check = (
  what: string,
  state: Check["state"],
  at: number | undefined,
  how: string,
): Check => ({ what, state, at, how });

/** What the old primary's node told from the first trouble on. */
function ofOld({ events, troubles, leaderBefore }: Episode): readonly NodeEvent[] {
  const began = troubles[0]?.at ?? 0;
  return events.filter(({ node, at }) => node === leaderBefore && at >= began);
}

/** When the old primary's own host saw it end. What ends after another server was started there is not it. */
function oldServersEnd(episode: Episode): NodeEvent | undefined {
  const own = ofOld(episode);
  const next = own.findIndex(
    (e) => e.kind === "server" && (e.look === "starting" || e.look === "standby"),
  );
  return (next < 0 ? own : own.slice(0, next)).find((e) => e.kind === "server-exit");
}

function dead({ episode, moments }: Situation): Check {
  const what = "the old primary is dead, and not only slow";
  const { events } = episode;
  const death = oldServersEnd(episode);
  if (death !== undefined)
    return check(what, "done", death.at, "its own fence, parent of the server, saw it end");
  const { free } = moments;
  if (free === undefined) return check(what, "open", undefined, "its lease is not free yet");
  const still = events.flatMap((e) => (e.kind === "leader" ? (e.stillMs ?? []) : []));
  const longest = still.length === 0 ? "its time" : printSpan(Math.max(...still));
  return check(
    what,
    "done",
    free,
    `it had not renewed its lease for ${longest}; its fence ends the server before that time is over`,
  );
}

function chosen({ episode }: Situation): Check {
  const what = "the most advanced healthy standby is chosen";
  const winner = winnerOf(episode);
  if (winner === undefined) return check(what, "open", undefined, "nobody has been elected yet");
  return check(what, "done", winner.at, winner.chosen ?? `${winner.node} was the only one to race`);
}

function promoted({ episode, moments }: Situation): Check {
  const winner = winnerOf(episode);
  const branch = episode.events.find(
    (e) => e.kind === "branch" && e.term === winner?.term && e.node === winner.node,
  );
  const how = branch?.kind === "branch" ? `timeline ${branch.timeline} at ${branch.fork}` : "?";
  return moments.promoted === undefined
    ? check("it is promoted", "open", undefined, "it is no primary yet")
    : check("it is promoted", "done", moments.promoted, `${winner?.node ?? "?"}, ${how}`);
}

function routed({ moments, routers, episode }: Situation): Check {
  const what = "clients are sent to it";
  const told = new Set(episode.events.filter((e) => e.kind === "route").map(({ node }) => node));
  if (routers.length === 0 && told.size === 0)
    return check(what, "n/a", undefined, "no routers: clients find it by its health checks");
  return moments.routed === undefined
    ? check(what, "open", undefined, "no router sends clients there yet")
    : check(what, "done", moments.routed, `by ${[...told].toSorted().join(", ")}`);
}

function attached({ episode, members, moments }: Situation): Check {
  const what = "the other standbys stream from it";
  const winner = winnerOf(episode)?.node;
  const since = moments.promoted;
  if (winner === undefined || since === undefined)
    return check(what, "open", undefined, "there is no new primary yet");
  const last = new Map<string, NodeEvent & { kind: "standby" }>();
  for (const event of episode.events)
    if (event.kind === "standby" && event.node === winner && event.at >= since)
      last.set(event.name, event);
  const expected = members.filter((name) => name !== winner);
  const absent = expected.filter((name) => last.get(name)?.streams !== true);
  const times = [...last.values()].map(({ at }) => at);
  if (absent.length > 0) return check(what, "open", undefined, `not yet: ${absent.join(", ")}`);
  return check(what, "done", Math.max(...times, since), expected.join(", "));
}

/** The old server's end must come before the new primary's beginning. */
function single({ episode, moments, missing }: Situation): Check {
  const what = "two primaries at once: watched for";
  const { leaderBefore } = episode;
  if (moments.promoted === undefined) return check(what, "n/a", undefined, "nobody was promoted");
  const own = ofOld(episode);
  const end = oldServersEnd(episode);
  if (end !== undefined) {
    const before = moments.promoted - end.at;
    return before >= 0
      ? check(what, "done", end.at, `the old server had ended ${printSpan(before)} before`)
      : check(what, "failed", end.at, `the old server ended ${printSpan(-before)} after`);
  }
  const back = own.findIndex((e) => e.kind === "agent-started");
  const found = own.slice(back + 1).find((e) => e.kind === "server");
  if (back >= 0 && found?.kind === "server" && found.look === "down") {
    const how =
      "the old server was dead when its agent came back, and its fence lets none outlive its lease";
    return check(what, "done", found.at, how);
  }
  const isMissing = leaderBefore !== undefined && missing.includes(leaderBefore);
  return check(
    what,
    "open",
    undefined,
    isMissing
      ? `${leaderBefore} has not told its part yet; its fence ends its server with the lease`
      : "nobody saw the old server end; its fence ends it with the lease",
  );
}

const explained = ({ cause }: Situation): Check =>
  check(
    "the evidence is kept",
    cause.code === "unknown" ? "open" : "done",
    undefined,
    cause.sentence,
  );
