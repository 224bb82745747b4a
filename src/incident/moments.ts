// When did what happen in an episode? The few moments between which its phases lie.
import type { NodeEvent } from "../model/event.ts";
import { type Episode, isDeath, isTrouble } from "./episodes.ts";
import type { Phase, PhaseName } from "./incident.ts";

export interface Moments {
  /** The cause, or the last sign of life of a leader that fell silent. */
  readonly began: number;
  /** The first agent that noticed. */
  readonly detected: number;
  /** The old leader was proven or bound to have stopped: its lease was free. */
  readonly free: number | undefined;
  readonly elected: number | undefined;
  readonly promoted: number | undefined;
  readonly routed: number | undefined;
  readonly caughtUp: number | undefined;
}

/** The new leader that an episode ended with; undefined where nobody else was elected. */
export const winnerOf = ({ troubles, events, leaderBefore }: Episode) => {
  const began = troubles[0]?.at ?? 0;
  return events.findLast(
    (event) => event.kind === "elected" && event.at >= began && event.node !== leaderBefore,
  ) as (NodeEvent & { kind: "elected" }) | undefined;
};

export function momentsOf(episode: Episode): Moments {
  const { events, troubles, leaderBefore } = episode;
  const first = troubles[0]?.at ?? 0;
  const winner = winnerOf(episode);
  const after = events.filter(({ at }) => at >= first);
  const elected = winner?.at;
  const promoted = after.find(
    (e) => e.node === winner?.node && e.kind === "server" && e.look === "primary",
  )?.at;
  return {
    began: Math.min(first, lastSignOf(episode) ?? first),
    detected: after.find((e) => isTrouble(e) && !isDeath(e) && e.kind !== "fence")?.at ?? first,
    free: after.find(
      (e) =>
        (e.kind === "leader" && e.name === undefined) ||
        (e.kind === "step" && e.step === "release" && e.ok && e.node === leaderBefore),
    )?.at,
    elected,
    promoted,
    routed: routedAt(after, winner?.node, promoted),
    caughtUp: caughtUpAt(after, winner?.node, promoted),
  };
}

/**
 * The last sign of life of a leader that died without a word: a rival counts from when it saw the last one. Where the
 * old leader itself told of its trouble, that moment is the beginning.
 */
function lastSignOf({ events, troubles, leaderBefore }: Episode): number | undefined {
  const [first] = troubles;
  if (first === undefined || first.node === leaderBefore) return undefined;
  const signs = events.flatMap((e) =>
    e.kind === "leader" && e.name === undefined && e.stillMs !== undefined
      ? [e.at - e.stillMs]
      : [],
  );
  return signs.length === 0 ? undefined : Math.max(...signs);
}

/** What a router says first once its clients have gone on. */
const ROUTED: ReadonlySet<string> = new Set(["routing", "route_cutting_old", "route_releasing"]);

/** When the last router of those that answer sent clients to the new primary. */
function routedAt(
  after: readonly NodeEvent[],
  winner: string | undefined,
  promoted: number | undefined,
): number | undefined {
  if (winner === undefined || promoted === undefined) return undefined;
  const firsts = new Map<string, number>();
  for (const event of after) {
    const isThere = event.kind === "route" && event.primary === winner && ROUTED.has(event.because);
    if (isThere && event.at >= promoted && !firsts.has(event.node))
      firsts.set(event.node, event.at);
  }
  return firsts.size === 0 ? undefined : Math.max(...firsts.values());
}

/** When the first standby streamed from the new primary again. */
const caughtUpAt = (
  after: readonly NodeEvent[],
  winner: string | undefined,
  promoted: number | undefined,
): number | undefined =>
  promoted === undefined
    ? undefined
    : after.find((e) => e.kind === "standby" && e.node === winner && e.streams && e.at >= promoted)
        ?.at;

const WHAT: Readonly<Record<PhaseName, string>> = {
  detect: "from the last sign of life, or the cause, until an agent noticed",
  fence: "until the old primary had surely stopped and its lease was free",
  elect: "until one member held the lease",
  promote: "until that member was a primary",
  route: "until the routers sent clients there",
  "catch up": "until the first standby streamed from it",
};

/** Phases one after another; those after a moment that nobody saw are open. What two hosts saw can overlap: it took no time then. */
export function phasesOf(moments: Moments): readonly Phase[] {
  const { began, detected, free, elected, promoted, routed, caughtUp } = moments;
  const phase = (name: PhaseName, from: number | undefined, to: number | undefined) =>
    from === undefined
      ? []
      : [{ name, from, to: to === undefined ? undefined : Math.max(from, to), what: WHAT[name] }];
  return [
    ...phase("detect", began, detected),
    ...phase("fence", detected, free),
    ...phase("elect", free, elected),
    ...phase("promote", elected, promoted),
    ...phase("route", promoted, routed),
    ...phase("catch up", promoted, caughtUp),
  ];
}
