// When did trouble begin and end? Cuts the events of all nodes into episodes, each of which becomes one incident.
import type { NodeEvent } from "../model/event.ts";
import { meaningOf } from "./meaning.ts";

export interface Episode {
  /** From a little before the first trouble until the next episode begins: what came after belongs to it as well. */
  readonly events: readonly NodeEvent[];
  /** The events that are the trouble. */
  readonly troubles: readonly NodeEvent[];
  readonly leaderBefore: string | undefined;
  readonly leaderAfter: string | undefined;
  /** When a leader was well again; undefined while none is. */
  readonly overAt: number | undefined;
}

/** Trouble that begins so soon after the last one is part of it, unless it is that of a leader who came out of it. */
const QUIET_MS = 60_000;
/** What was seen before the first trouble and may explain it. */
const BEFORE_MS = 10_000;
/** What follows an episode and still belongs to it: standbys that come back, a host that is started again. */
const AFTER_MS = 15 * 60_000;

/** A decision for such a reason is a symptom of the cluster's trouble. */
const isTroubleReason = (because: string): boolean =>
  !["well", "calm"].includes(meaningOf(because));

/** A server that ended, and not because its agent stopped it cleanly. */
export const isDeath = (event: NodeEvent): event is NodeEvent & { kind: "server-exit" } =>
  event.kind === "server-exit" && (event.signal !== undefined || event.code !== 0);

export function isTrouble(event: NodeEvent): boolean {
  switch (event.kind) {
    case "decision":
      return isTroubleReason(event.because);
    case "fence":
      return true;
    case "leader":
      return event.name === undefined && event.before !== undefined;
    case "store":
      return !event.readable;
    default:
      return isDeath(event);
  }
}

/** `merged` is in the order of time. */
export function episodesIn(merged: readonly NodeEvent[]): readonly Episode[] {
  const found: Growing[] = [];
  const watch = new Watch();
  for (const [index, event] of merged.entries()) {
    const leaderBefore = watch.leader;
    watch.see(event);
    if (isTrouble(event)) take(found, { index, event, leader: leaderBefore });
    const current = found.at(-1);
    if (current === undefined) continue;
    current.leaderAfter = watch.leader;
    if (current.overAt === undefined && watch.isWell) current.overAt = event.at;
  }
  return found.map((episode, at) => closed(episode, merged, found[at + 1]?.first));
}

interface Trouble {
  readonly index: number;
  readonly event: NodeEvent;
  readonly leader: string | undefined;
}

/** Into the last episode, or as the first of another one. */
function take(found: Growing[], { index, event, leader }: Trouble): void {
  const last = found.at(-1);
  if (last === undefined || !belongsTo(last, event, leader)) {
    found.push(begun(index, [event], leader));
    return;
  }
  if (last.overAt !== undefined) {
    last.relapse = { first: index, troubles: last.troubles.length, overAt: last.overAt };
    last.overAt = undefined;
  }
  last.troubles.push(event);
  // A relapse that costs the leader its lease is a story of its own: what came before it had ended well.
  if (!isLoss(event, leader) || last.relapse === undefined) return;
  const { first, troubles, overAt } = last.relapse;
  last.overAt = overAt;
  last.relapse = undefined;
  found.push(begun(first, last.troubles.splice(troubles), leader));
}

const begun = (
  first: number,
  troubles: NodeEvent[],
  leaderBefore: string | undefined,
): Growing => ({ first, troubles, leaderBefore, overAt: undefined, relapse: undefined });

const isLoss = (event: NodeEvent, leader: string | undefined): boolean =>
  (event.kind === "leader" && event.before === leader) ||
  (event.kind === "decision" && ["race", "refusal"].includes(meaningOf(event.because)));

/**
 * What follows soon is part of it: echoes, and a server that dies again. Another story begins when a leader that was
 * well again is lost, or when the new leader is the one in trouble.
 */
function belongsTo(
  { overAt, leaderBefore }: Growing,
  event: NodeEvent,
  leader: string | undefined,
): boolean {
  if (overAt === undefined) return true;
  const isOfNewLeader = leader !== leaderBefore && event.node === leader;
  return !isLoss(event, leader) && !isOfNewLeader && overAt + QUIET_MS > event.at;
}

interface Growing {
  readonly first: number;
  readonly troubles: NodeEvent[];
  readonly leaderBefore: string | undefined;
  leaderAfter?: string | undefined;
  overAt: number | undefined;
  /** Trouble came back after it was over: from where on, after how many troubles, and when it had been over. */
  relapse:
    | { readonly first: number; readonly troubles: number; readonly overAt: number }
    | undefined;
}

function closed(
  { first, troubles, leaderBefore, leaderAfter, overAt }: Growing,
  merged: readonly NodeEvent[],
  next: number | undefined,
): Episode {
  const began = merged[first]?.at ?? 0;
  const end = (troubles.at(-1)?.at ?? began) + AFTER_MS;
  const events = merged.filter(
    ({ at }, index) => at >= began - BEFORE_MS && at <= end && (next === undefined || index < next),
  );
  return { events, troubles, leaderBefore, leaderAfter, overAt };
}

/** Who leads, and does it go well, after all events so far? */
class Watch {
  leader: string | undefined;
  #term = 0;
  readonly #because = new Map<string, string>();

  see(event: NodeEvent): void {
    if (event.kind === "decision") this.#because.set(event.node, event.because);
    // What it decided before says nothing of how it is now; it will decide anew.
    if (isDeath(event) || (event.kind === "store" && !event.readable))
      this.#because.delete(event.node);
    if (event.kind === "elected") this.#lead(event.node, event.term);
    if (event.kind === "leader" && event.name !== undefined) this.#lead(event.name, event.term);
    // The word of one who still reads an older state of the store does not count.
    if (event.kind === "leader" && event.name === undefined && event.before === this.leader)
      this.leader = undefined;
  }

  #lead(name: string, term: number | undefined): void {
    if (term === undefined || term < this.#term) return;
    this.#term = term;
    this.leader = name;
  }

  get isWell(): boolean {
    const because = this.leader === undefined ? undefined : this.#because.get(this.leader);
    return because !== undefined && meaningOf(because) === "well";
  }
}
