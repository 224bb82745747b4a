// Why did it happen? The most probable cause, with what was seen for it; the first rule that holds wins.
//
// Nothing here reads a text: signals, codes, kernel counters, free bytes, boot ids and reasons speak. Log lines are
// shown as they are, for the person.
import { endText, eventText, hostWords, type NodeEvent } from "../model/event.ts";
import { isTooLittle } from "../model/server.ts";
import { type Episode, isDeath } from "./episodes.ts";
import type { Cause, CauseCode, IncidentKind } from "./incident.ts";
import { meaningOf } from "./meaning.ts";

/** What the rules look at: the episode from the eyes of the member that was in trouble. */
interface Case {
  readonly subject: string;
  /** Events of the subject, from the first trouble on. */
  readonly own: readonly NodeEvent[];
  readonly all: readonly NodeEvent[];
  readonly missing: readonly string[];
}

type Rule = (c: Case) => Cause | undefined;

const LOG_LINES = 4;
/** Evidence belongs to a death when it came this soon behind it. */
const SOON_MS = 5_000;

/** `missing` are the nodes that did not tell their part. */
export function causeOf(episode: Episode, kind: IncidentKind, missing: readonly string[]): Cause {
  const asked = askedFor(episode.events);
  if (kind === "switchover") return planned(asked);
  const subject = subjectOf(episode, kind);
  if (subject === undefined) return UNKNOWN;
  const began = beganAt(episode, subject);
  const all = episode.events.filter(({ at }) => at >= began);
  const own = all.filter(({ node }) => node === subject);
  const c: Case = { subject, own, all, missing };
  for (const rule of RULES) {
    const cause = rule(c);
    if (cause !== undefined) return cause;
  }
  return UNKNOWN;
}

/** A little before the first trouble, but not before the subject last led well: what had been over explains nothing. */
function beganAt({ events, troubles }: Episode, subject: string): number {
  const first = troubles[0]?.at ?? 0;
  const well = events.findLast(
    (e) =>
      e.node === subject &&
      e.kind === "decision" &&
      e.at < first &&
      meaningOf(e.because) === "well",
  );
  return Math.max(first - SOON_MS, well?.at ?? 0);
}

/** Who was in trouble: the leader of before, or the standby whose server died. */
export const subjectOf = (episode: Episode, kind: IncidentKind): string | undefined =>
  kind === "standby-crash"
    ? episode.troubles.find(isDeath)?.node
    : (episode.leaderBefore ?? episode.troubles[0]?.node);

const UNKNOWN: Cause = {
  code: "unknown",
  confidence: "unknown",
  sentence: "nothing that was seen explains it",
  evidence: [],
};

const askedFor = (events: readonly NodeEvent[]) =>
  events.find((event) => event.kind === "wish" && event.open);

const planned = (asked: NodeEvent | undefined): Cause => ({
  code: "planned",
  confidence: "certain",
  sentence: "somebody asked for it",
  evidence: asked === undefined ? [] : [said(asked)],
});

/** In the order of what explains more: a host without memory explains its dead server, not the other way round. */
const RULES: readonly Rule[] = [
  onPurpose,
  diskFull,
  serverHung,
  agentStalled,
  storeAway,
  serverDied,
  backendCrashed,
  hostGone,
];

/** Its own agent said so the moment before. */
function onPurpose({ subject, own }: Case): Cause | undefined {
  const said = own.find((e) => e.kind === "game-day");
  const death = own.find(isDeath);
  if (said === undefined || death === undefined || death.at - said.at > SOON_MS) return undefined;
  const sentence = `a game day ended the server of ${subject} on purpose`;
  return cause("game_day", "certain", sentence, seen([said, death]));
}

function diskFull({ subject, own }: Case): Cause | undefined {
  const decided = decisions(own, "lead_disk_full")[0];
  const measured = own.find(
    (e) => e.kind === "evidence" && e.diskFreeBytes !== undefined && isTooLittle(e.diskFreeBytes),
  );
  if (decided === undefined && measured === undefined) return undefined;
  return cause("disk_full", "certain", `the disk of ${subject} is full`, [
    ...seen([decided, measured]),
    ...logOf(own),
  ]);
}

function serverHung({ subject, own }: Case): Cause | undefined {
  const hung = own.find(
    (e) =>
      (e.kind === "decision" && e.because === "server_hung") ||
      (e.kind === "server" && (e.look === "hung" || e.look === "stopped")),
  );
  if (hung === undefined) return undefined;
  const sentence = `the server of ${subject} ran and answered nobody`;
  return cause("server_hung", "certain", sentence, [...seen([hung]), ...logOf(own)]);
}

/** An agent that did not run could not prolong the deadline: its fence ended the server. */
function agentStalled({ subject, own }: Case): Cause | undefined {
  const stalled = own.find((e) => e.kind === "agent-stalled");
  if (stalled === undefined) return undefined;
  const fired = own.find((e) => e.kind === "fence");
  const sentence = `the agent of ${subject}, or its host, stood still`;
  return cause("agent_stalled", "likely", sentence, seen([stalled, fired]));
}

/** The leader could not read the store: was it alone with that, and did anybody answer it? */
function storeAway({ subject, own, all, missing }: Case): Cause | undefined {
  const away = own.find((e) => e.kind === "store" && !e.readable);
  if (away === undefined) return undefined;
  const others = new Set(all.map(({ node }) => node).filter((node) => node !== subject));
  const blind = all.filter(
    (e) => e.kind === "store" && !e.readable && e.node !== subject && others.delete(e.node),
  );
  const isolated = own.find((e) => e.kind === "decision" && meaningOf(e.because) === "isolated");
  const shown = [away, ...blind, isolated];
  if (isolated !== undefined) {
    const sentence = `${subject} was cut off: neither the store nor any member answered it`;
    return cause("isolated", "certain", sentence, seen(shown));
  }
  if (blind.length > 0) {
    const sentence = `the store answered nobody of ${[subject, ...blind.map((e) => e.node)].join(", ")}`;
    return cause("store_down", missing.length === 0 ? "certain" : "likely", sentence, seen(shown));
  }
  const sentence = `the network between ${subject} and the store was cut: others could read it`;
  return cause("cut_off_from_store", "likely", sentence, seen(shown));
}

function serverDied({ subject, own }: Case): Cause | undefined {
  const death = own.find(isDeath);
  if (death === undefined) return undefined;
  const evidence = evidenceSoonAfter(own, death);
  const shown = [...seen([death, evidence]), ...logOf(own)];
  if ((evidence?.oomKills ?? 0) > 0) {
    const sentence = `${subject} ran out of memory, and the kernel killed the server for it`;
    return cause("out_of_memory", "likely", sentence, shown);
  }
  if (death.signal !== undefined) {
    const sentence = `the postmaster of ${subject} was ended ${endText(death)}, which nothing of ours had sent`;
    return cause("postmaster_killed", "certain", sentence, shown);
  }
  const sentence = `the server of ${subject} ended by itself ${endText(death)}: its log says why`;
  return cause("server_failed", "certain", sentence, shown);
}

/** What the host said of a death, of those that it was asked for that one. */
const evidenceSoonAfter = (own: readonly NodeEvent[], { at }: NodeEvent) =>
  own.find(
    (e): e is NodeEvent & { kind: "evidence" } =>
      e.kind === "evidence" && e.at >= at && e.at - at < SOON_MS,
  );

function backendCrashed({ subject, own }: Case): Cause | undefined {
  const reset = decisions(own, "lead_server_reset")[0];
  if (reset === undefined) return undefined;
  const evidence = evidenceSoonAfter(own, reset);
  if ((evidence?.oomKills ?? 0) > 0) {
    const sentence = `${subject} ran out of memory, and the kernel killed a backend for it`;
    return cause("out_of_memory", "likely", sentence, [...seen([reset, evidence]), ...logOf(own)]);
  }
  const sentence = `a backend of ${subject} crashed, and the server reset itself`;
  return cause("backend_crashed", "certain", sentence, [...seen([reset]), ...logOf(own)]);
}

/** It said nothing more: what did the others hear of it, and what does it say itself since it is back? */
function hostGone({ subject, own, all, missing }: Case): Cause | undefined {
  const back = own.find((e) => e.kind === "agent-started" && e.life !== "first");
  const heard = all.filter((e) => e.kind === "peer" && e.name === subject && !e.answers);
  const gone = all.find((e) => e.kind === "leader" && e.name === undefined);
  const shown = seen([gone, ...heard, back]);
  if (back?.kind === "agent-started" && back.life === "another boot") {
    return cause("host_rebooted", "certain", `the host of ${subject} was booted anew`, shown);
  }
  if (back !== undefined) {
    const sentence = `the agent and the server of ${subject} ended at once, and the host was not booted`;
    return cause("processes_killed", "likely", sentence, shown);
  }
  if (heard.length === 0 && !missing.includes(subject)) return undefined;
  const sentence = `the host of ${subject} is gone, or nobody can reach it: its own part is missing`;
  return cause("host_lost", "likely", sentence, shown);
}

const cause = (
  code: CauseCode,
  confidence: Cause["confidence"],
  sentence: string,
  evidence: readonly string[],
): Cause => ({ code, confidence, sentence, evidence });

const said = (event: NodeEvent): string =>
  `${event.node}: ${event.kind === "evidence" ? hostWords(event).join("; ") : eventText(event)}`;
const seen = (events: readonly (NodeEvent | undefined)[]): readonly string[] =>
  events.flatMap((event) => (event === undefined ? [] : [said(event)]));

const decisions = (events: readonly NodeEvent[], because: string): readonly NodeEvent[] =>
  events.filter((event) => event.kind === "decision" && event.because === because);

/** The last lines of the server's log at its end, as they stand there. */
function logOf(own: readonly NodeEvent[]): readonly string[] {
  const found = own.find((event) => event.kind === "evidence");
  if (found?.kind !== "evidence") return [];
  return found.logLines.slice(-LOG_LINES).map((line) => `log of ${found.node}: ${line}`);
}
