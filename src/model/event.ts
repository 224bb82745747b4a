// What happened on one node, in one line: what the events of all nodes are merged from and incidents are told by.
//
// An event is dated with its own host's wall clock; whoever merges the events of several hosts knows how far their
// clocks are apart. It is kept as a line of JSON, and a line of a newer or damaged form is left out, never guessed at.
import { ALL_REASONS } from "./reason.ts";
import { isObject } from "./wire/json.ts";

/** How the server looks from outside, as far as its agent knows. */
export type ServerLook =
  | "down"
  | "orphans"
  | "starting"
  | "hung"
  | "stopped"
  | "failing"
  | "primary"
  | "standby"
  | "silent";

/** What the host says about the end of a server, gathered as soon as it is known. */
export interface HostEvidence {
  /** Processes that the kernel killed for want of memory since the agent last looked; undefined where it does not say. */
  readonly oomKills?: number;
  readonly memoryFreeBytes?: number;
  readonly diskFreeBytes?: number;
  /** The end of the server's log, oldest first. */
  readonly logLines: readonly string[];
}

export type EventBody =
  /** `silentMs`: how long before this start the last event of an earlier life was written. */
  | {
      readonly kind: "agent-started";
      readonly version: string;
      readonly bootId: string;
      readonly life: "first" | "same boot" | "another boot";
      readonly silentMs?: number;
    }
  | { readonly kind: "agent-leaving"; readonly how: string }
  /** The loop did not run for so long: the agent was stopped, stalled, or its host slept. */
  | { readonly kind: "agent-stalled"; readonly ms: number }
  | {
      readonly kind: "decision";
      readonly because: string;
      readonly detail?: string;
      readonly step?: string;
      readonly term?: number;
    }
  | {
      readonly kind: "step";
      readonly step: string;
      readonly ok: boolean;
      readonly code?: string;
      readonly why?: string;
    }
  | {
      readonly kind: "server";
      readonly look: ServerLook;
      readonly timeline?: number;
      /** End of its WAL by then. */
      readonly position?: string;
    }
  | {
      readonly kind: "server-exit";
      readonly pid: number;
      readonly code?: number;
      readonly signal?: string;
    }
  | ({ readonly kind: "evidence" } & HostEvidence)
  | { readonly kind: "crash-end"; readonly position: string }
  | { readonly kind: "fence"; readonly what: "fired" | "lost"; readonly term?: number }
  /** Who leads, as the store shows it. `end` is the WAL end that the one before had published last. */
  | {
      readonly kind: "leader";
      readonly name?: string;
      readonly term?: number;
      readonly before?: string;
      readonly end?: string;
      /** How long the sign of life of the one before had stood still when this was seen. */
      readonly stillMs?: number;
    }
  | { readonly kind: "store"; readonly readable: boolean; readonly why?: string }
  | {
      readonly kind: "peer";
      readonly name: string;
      readonly answers: boolean;
      readonly why?: string;
    }
  | { readonly kind: "standby"; readonly name: string; readonly streams: boolean }
  /** What a person asked for: a change of leader; without names it was cleared. */
  | { readonly kind: "wish"; readonly from?: string; readonly to?: string; readonly open: boolean }
  /** A failover on purpose: this node's server is ended for it now. */
  | { readonly kind: "game-day"; readonly id: string; readonly by: string }
  /** This member won; `chosen` says of each candidate why it was chosen or not. */
  | {
      readonly kind: "elected";
      readonly term: number;
      readonly chosen?: string;
      /** Which mode of replication held: `off`, `on` or `quorum`, and whether it degrades. */
      readonly sync: string;
    }
  /** A branch of history began here, `fork` is where it left the one before. */
  | {
      readonly kind: "branch";
      readonly timeline: number;
      readonly term: number;
      readonly fork: string;
    }
  /** A job of the schedule has ended on this node. */
  | {
      readonly kind: "scheduled";
      readonly job: string;
      readonly outcome: "done" | "failed" | "handed-on" | "skipped";
      readonly why?: string;
    }
  /** Probe writes over a way in are not taken; with `forMs` they are again, after so long. */
  | {
      readonly kind: "clients";
      readonly path: string;
      readonly forMs?: number;
      readonly why?: string;
    }
  | {
      readonly kind: "route";
      readonly because: string;
      readonly primary?: string;
      readonly term?: number;
    };

/** An event with its place in its node's own order, and its host's wall clock in milliseconds since 1970. */
export type NodeEvent = {
  readonly node: string;
  readonly seq: number;
  readonly at: number;
} & EventBody;

const KINDS: Readonly<Record<EventBody["kind"], true>> = {
  "agent-started": true,
  "agent-leaving": true,
  "agent-stalled": true,
  decision: true,
  step: true,
  server: true,
  "server-exit": true,
  evidence: true,
  "crash-end": true,
  fence: true,
  leader: true,
  store: true,
  peer: true,
  standby: true,
  wish: true,
  "game-day": true,
  elected: true,
  branch: true,
  scheduled: true,
  clients: true,
  route: true,
};

/** One line of JSON, without its end. */
export const printEvent = (event: NodeEvent): string => JSON.stringify(event);

/** An event from what JSON says; undefined for anything that is none, or of a kind that this version does not know. */
export function asEvent(value: unknown): NodeEvent | undefined {
  if (!isObject(value)) return undefined;
  const { node, seq, at, kind } = value;
  const isOurs =
    typeof node === "string" &&
    typeof seq === "number" &&
    typeof at === "number" &&
    typeof kind === "string" &&
    kind in KINDS;
  return isOurs ? (value as unknown as NodeEvent) : undefined;
}

/** The events of a file's text; a line cut short by a power cut is left out. */
export function parseEvents(text: string): readonly NodeEvent[] {
  return text.split("\n").flatMap((line) => {
    if (line === "") return [];
    try {
      return asEvent(JSON.parse(line)) ?? [];
    } catch {
      return [];
    }
  });
}

const SERVER_WORDS: Readonly<Record<ServerLook, string>> = {
  down: "the server is down",
  orphans: "the server is dead, and processes of it remain",
  starting: "the server is starting",
  hung: "the server answers nobody",
  stopped: "the server's processes are stopped",
  failing: "the server refuses every session",
  primary: "the server is a primary",
  standby: "the server is a standby",
  silent: "the server runs and does not answer its agent",
};

/** What it says to people, as one sentence without the node's name. */
export function eventText(event: EventBody): string {
  switch (event.kind) {
    case "agent-started":
      return `the agent starts (${event.version}${lifeText(event)})`;
    case "agent-leaving":
      return `the agent leaves (${event.how})`;
    case "agent-stalled":
      return `the agent did not run for ${inSeconds(event.ms)}`;
    case "decision":
      return decisionText(event.because, event.detail);
    case "step":
      return event.ok
        ? `${event.step}: done`
        : `${event.step}: failed, ${event.code ?? "?"}: ${event.why ?? "?"}`;
    case "server":
      return `${SERVER_WORDS[event.look]}${event.timeline === undefined ? "" : `, timeline ${event.timeline}`}${event.position === undefined ? "" : `, ${event.position}`}`;
    case "server-exit":
      return `the server process ${event.pid} ended ${endText(event)}`;
    case "evidence":
      return evidenceText(event);
    case "crash-end":
      return `the WAL of the dead server ends at ${event.position}`;
    case "fence":
      return event.what === "fired"
        ? "the fence ended the server: nobody had prolonged its deadline"
        : "the fence process is lost";
    case "leader":
      return leaderText(event);
    case "store":
      return event.readable
        ? "the store can be read again"
        : `the store cannot be read: ${event.why ?? "no answer"}`;
    case "peer":
      return event.answers
        ? `${event.name} answers`
        : `${event.name} does not answer: ${event.why ?? "silence"}`;
    case "standby":
      return event.streams ? `${event.name} streams from here` : `${event.name} streams no more`;
    case "wish":
      return wishText(event);
    case "game-day":
      return `the server is ended on purpose for the game day ${event.id} of ${event.by}`;
    case "elected":
      return `won the lease of term ${event.term}${event.chosen === undefined ? "" : `: ${event.chosen}`}`;
    case "branch":
      return `timeline ${event.timeline} begins at ${event.fork}`;
    case "scheduled":
      return `the scheduled ${event.job} ${SCHEDULED_WORDS[event.outcome]}${event.why === undefined ? "" : `: ${event.why}`}`;
    case "clients":
      return clientsText(event);
    case "route":
      return `${decisionText(event.because)}${event.primary === undefined ? "" : ` (writes to ${event.primary})`}`;
    default:
      return event satisfies never;
  }
}

const SCHEDULED_WORDS = {
  done: "is done",
  failed: "has failed",
  "handed-on": "is left to another node",
  skipped: "is skipped",
} as const;

const clientsText = ({ path, forMs, why }: Extract<EventBody, { kind: "clients" }>): string =>
  forMs === undefined
    ? `writes over ${path} are not taken${why === undefined ? "" : `: ${why}`}`
    : `writes over ${path} are taken again, after ${inSeconds(forMs)}`;

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function lifeText({ life, silentMs }: Extract<EventBody, { kind: "agent-started" }>): string {
  const after = silentMs === undefined ? "" : `, ${inSeconds(silentMs)} after its last word`;
  return life === "another boot" ? `, the host was booted${after}` : after;
}

/** The sentence behind a reason code, also for one that only a newer version knows. */
function decisionText(because: string, detail?: string): string {
  const known: Readonly<Record<string, string | undefined>> = ALL_REASONS;
  return `${known[because] ?? because}${detail === undefined ? "" : ` (${detail})`}`;
}

/** `by SIGKILL`, `with code 1`. */
export const endText = ({
  code,
  signal,
}: {
  readonly code?: number;
  readonly signal?: string;
}): string => (signal === undefined ? `with code ${code ?? "?"}` : `by ${signal}`);

const evidenceText = (evidence: HostEvidence): string =>
  [...hostWords(evidence), `its log ends: ${evidence.logLines.at(-1) ?? "(empty)"}`].join("; ");

/** What the host says, without the server's own words. */
export const hostWords = ({ oomKills, diskFreeBytes }: HostEvidence): readonly string[] => [
  ...(oomKills === undefined || oomKills === 0
    ? []
    : [`the kernel killed ${oomKills} for want of memory`]),
  ...(diskFreeBytes === undefined
    ? []
    : [`${Math.floor(diskFreeBytes / 1024 / 1024)} MB free beside the data`]),
];

function leaderText(event: Extract<EventBody, { kind: "leader" }>): string {
  const { name, term, before, stillMs } = event;
  if (name !== undefined) return `${name} leads, term ${term ?? "?"}`;
  const still = stillMs === undefined ? "" : `; its last sign of life is ${inSeconds(stillMs)} old`;
  return `nobody leads${before === undefined ? "" : ` after ${before}`}${still}`;
}

function wishText({ from, to, open }: Extract<EventBody, { kind: "wish" }>): string {
  if (!open) return "no change of leader is asked for any more";
  return `asked for: a change of leader${from === undefined ? "" : ` from ${from}`}${to === undefined ? "" : ` to ${to}`}`;
}
