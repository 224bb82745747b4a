// What did the new primary never have? Where the old history ended, as far as known, and where the new one left it.
import { printBytes } from "../model/amounts.ts";
import type { NodeEvent } from "../model/event.ts";
import { type Lsn, lagBytes, maxLsn, parseLsn } from "../model/lsn.ts";
import type { Episode } from "./episodes.ts";
import type { Loss } from "./incident.ts";
import { winnerOf } from "./moments.ts";

/** Undefined where nobody else was elected: then every byte is where it was. */
export function lossOf(episode: Episode): Loss | undefined {
  const winner = winnerOf(episode);
  if (winner === undefined) return undefined;
  const fork = episode.events.find(
    (e) => e.kind === "branch" && e.node === winner.node && e.term === winner.term,
  );
  const forkLsn = fork?.kind === "branch" ? parseLsn(fork.fork) : undefined;
  const { end, isExact } = oldEnd(episode);
  if (forkLsn === undefined || end === undefined)
    return unknown("the new primary has not said yet where its history begins");
  const bytes = lagBytes(end, forkLsn);
  const isSync = !winner.sync.startsWith("off");
  if (bytes === 0 && isExact) {
    const sentence = "nothing: the new primary has every byte of the old one";
    return { bytes, isExact, acknowledged: "no", sentence };
  }
  if (isSync) {
    const sentence = `${amount(bytes, isExact)}, and no acknowledged write: a synchronous standby was elected`;
    return { bytes, isExact, acknowledged: "no", sentence };
  }
  if (bytes > 0) {
    const sentence = `${amount(bytes, isExact)}; acknowledged writes can be among them (replication was asynchronous)`;
    return { bytes, isExact, acknowledged: "possible", sentence };
  }
  const sentence =
    "nothing that is known: the new primary has all that the old one had published; what it wrote after that, at most " +
    "a few seconds, nobody but its own disk knows (replication was asynchronous)";
  return { bytes, isExact, acknowledged: "possible", sentence };
}

const unknown = (sentence: string): Loss => ({
  bytes: undefined,
  isExact: false,
  acknowledged: "unknown",
  sentence,
});

const amount = (bytes: number, isExact: boolean): string =>
  `${isExact ? "" : "at least "}${printBytes(bytes)} of WAL`;

/** Read from its disk after its last crash, or told by a clean stop; else the furthest that anybody knew of. */
function oldEnd({ events, troubles, leaderBefore }: Episode): {
  readonly end: Lsn | undefined;
  readonly isExact: boolean;
} {
  const began = troubles[0]?.at ?? 0;
  const own = events.filter(({ node, at }) => node === leaderBefore && at >= began);
  const lived = own.findLastIndex((e) => e.kind === "server" && e.look === "primary");
  const read = own.slice(lived + 1).findLast((e) => e.kind === "crash-end");
  if (read?.kind === "crash-end") return { end: parseLsn(read.position), isExact: true };
  const known = events.flatMap((event) => positionIn(event, leaderBefore));
  const end = known.reduce<Lsn | undefined>(
    (most, at) => (most === undefined ? at : maxLsn(most, at)),
    undefined,
  );
  const isClean = own.some((e) => e.kind === "step" && e.step === "release" && e.ok);
  return { end, isExact: isClean };
}

/** What the old leader published or saw of itself while it led. */
function positionIn(event: NodeEvent, leaderBefore: string | undefined): readonly Lsn[] {
  const isOwn = event.kind === "server" && event.node === leaderBefore && event.look === "primary";
  const isTold =
    event.kind === "leader" && event.name === undefined && event.before === leaderBefore;
  const told = isTold ? event.end : undefined;
  const text = isOwn ? event.position : told;
  const lsn = text === undefined ? undefined : parseLsn(text);
  return lsn === undefined ? [] : [lsn];
}
