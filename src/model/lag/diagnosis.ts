// Why is a standby behind? The evidence of both sides in, one cause out, with what speaks for it and what to do.
//
// Every cause asks for a measurement of its own; a large gap alone blames nobody.
import { printBytes, printSpan } from "../amounts.ts";
import type { Ms } from "../time.ts";
import type { Diagnosis, LagCase, LagCause, LagWeight } from "./case.ts";
import { remedyFor } from "./remedy.ts";
import { type Activity, type OwnReport, STAGES, type Stage } from "./report.ts";

export const BEHIND_MS: Ms = 5_000;
export const BEHIND_BYTES = 16 * 1024 * 1024;
/** With that many bytes missing, this much time must be as well: a burst is no lag. */
const BURST_MS: Ms = 2_000;
/** In so many of the samples a thing must be seen before it is blamed. */
const MOSTLY = 0.5;
const DOMINANT = 0.6;
/** The shares of one or two samples say nothing. */
const FEWEST = 3;
/** Nothing was written for so long: the primary is idle. */
const STILL_MS: Ms = 5_000;
/** A walsender that lives says something at least every few seconds. */
const SILENT_MS: Ms = 15_000;
/** Looks that agree for less than this are a single one. */
const ONCE_MS: Ms = 400;

interface Finding {
  readonly cause: LagCause;
  readonly weight: LagWeight;
  readonly stage?: Stage;
  readonly sentence: string;
  readonly evidence: readonly string[];
}

export function diagnose(of: LagCase): Diagnosis {
  const found =
    stoppedBySignal(of) ??
    missing(of) ??
    deliberate(of) ??
    heldByQueries(of) ??
    fine(of) ??
    held(of) ??
    unclear(of);
  return { ...found, remedy: remedyFor(found.cause, of) };
}

/** Behind the end in bytes and time, by the upstream if it tells, else by the standby itself. */
export function behindOf({ sent, own }: LagCase): { bytes: number; ms: Ms; atLeast: boolean } {
  const {
    behindBytes = 0,
    behindMs = 0,
    atLeast = false,
  } = sent?.stages.replay ?? own?.stages.replay ?? {};
  return { bytes: behindBytes, ms: behindMs, atLeast };
}

export function behindInWords(of: LagCase): string {
  const { bytes, ms, atLeast } = behindOf(of);
  return `${printBytes(bytes)}, ${atLeast ? "at least " : ""}${printSpan(ms)}`;
}

function missing(of: LagCase): Finding | undefined {
  const { sent, own, ownLook, name } = of;
  if (sent !== undefined) return undefined;
  if (own === undefined) {
    const sentence = `nothing is known of ${name}: nobody sends to it, and its agent says nothing`;
    return { cause: "unknown", weight: "trouble", sentence, evidence: [] };
  }
  const { receiver } = own;
  if (receiver?.status === "streaming" && (receiver.messageAgeMs ?? 0) < SILENT_MS)
    return undefined;
  const evidence = [
    receiver === undefined
      ? "no walreceiver runs on it"
      : `its walreceiver (pid ${receiver.activity.pid}) is ${receiver.status} from ${receiver.upstream}`,
    ...(receiver?.messageAgeMs === undefined
      ? []
      : [`the last message came ${printSpan(receiver.messageAgeMs)} ago`]),
    "no server that answers has a walsender for it",
  ];
  // A standby that has just started, or been pointed elsewhere, is about to connect.
  if (receiver === undefined && ownLook !== undefined && ownLook.steadyMs < ONCE_MS) {
    const sentence = `${name} received nothing at the last look, which is the first that shows it so`;
    return { cause: "disconnected", weight: "note", stage: "sent", sentence, evidence };
  }
  const sentence = `${name} receives nothing: no connection to an upstream`;
  return { cause: "disconnected", weight: "trouble", stage: "sent", sentence, evidence };
}

/** A signal has stopped the process that receives or the one that replays: both look alive in every view of SQL. */
function stoppedBySignal({ name, own }: LagCase): Finding | undefined {
  const suspects = [
    { does: "receives", stage: "write", activity: own?.receiver?.activity },
    { does: "replays", stage: "replay", activity: own?.replay },
  ] as const;
  for (const { does, stage, activity } of suspects) {
    if (activity === undefined || activity.stopped < MOSTLY) continue;
    const sentence = `the process that ${does} on ${name} has been stopped by a signal`;
    const evidence = [
      `pid ${activity.pid} was in the state T in ${percent(activity.stopped)} of ${activity.samples} looks`,
    ];
    return { cause: "stopped", weight: "trouble", stage, sentence, evidence };
  }
  return undefined;
}

function deliberate(of: LagCase): Finding | undefined {
  const { own, name } = of;
  if (own === undefined) return undefined;
  const { bytes, ms } = behindOf(of);
  if (own.isPaused) {
    const sentence = `replay on ${name} is paused: ${behindInWords(of)} wait`;
    const evidence = ["pg_get_wal_replay_pause_state() says paused"];
    return { cause: "paused", weight: "trouble", stage: "replay", sentence, evidence };
  }
  const waits = share(own.replay, /RecoveryApplyDelay/);
  if (own.applyDelayMs === 0 || bytes === 0 || waits < MOSTLY) return undefined;
  const sentence = `${name} is behind on purpose, by ${printSpan(own.applyDelayMs)}`;
  const evidence = [
    `recovery_min_apply_delay is ${printSpan(own.applyDelayMs)}; behind ${printSpan(ms)}`,
    `replay waited for that delay in ${percent(waits)} of ${own.replay?.samples} looks`,
  ];
  return { cause: "delayed", weight: "note", stage: "replay", sentence, evidence };
}

/** What replay waits for when a session holds what it needs. */
const CONFLICT = /^(?:Lock\/|BufferPin\/|IPC\/RecoveryConflict)/;
/** A moment's wait is everyday life. */
const HELD_MS: Ms = 2_000;

function heldByQueries(of: LagCase): Finding | undefined {
  const { own, name } = of;
  const { bytes, ms } = behindOf(of);
  if (own?.replay === undefined || bytes === 0) return undefined;
  const cancelled = Object.entries(own.cancelled);
  const waits = share(own.replay, CONFLICT);
  const isHeld = own.replay.samples >= FEWEST && waits >= MOSTLY && ms >= HELD_MS;
  const isFought = cancelled.length > 0 && waits > 0 && ms >= HELD_MS;
  if (!isHeld && !isFought) return undefined;
  const evidence = [
    `replay waited for a session in ${percent(waits)} of ${own.replay.samples} looks (${eventsOf(own.replay, CONFLICT)})`,
    ...cancelled.map(([kind, count]) => `${count} cancelled in two minutes: ${kind}`),
    ...own.queries.map(queryInWords),
  ];
  const [worst] = own.queries;
  const who = worst === undefined ? "a session" : `pid ${worst.pid} of ${worst.user}`;
  const cause = cancelled.length > 0 ? "conflict" : "query";
  const sentence =
    cause === "conflict"
      ? `queries on ${name} and replay are in each other's way: replay waits, then cancels them`
      : `a query on ${name} holds replay back: ${who}`;
  return { cause, weight: "trouble", stage: "replay", sentence, evidence };
}

const queryInWords = ({ pid, user, application, ageMs, blocks }: OwnReport["queries"][number]) =>
  `pid ${pid} of ${user}${application === "" ? "" : ` (${application})`} has been at it for ${printSpan(ageMs)}${blocks ? " and holds the lock" : ""}`;

function fine(of: LagCase): Finding | undefined {
  const { bytes, ms } = behindOf(of);
  const isBehind = ms >= BEHIND_MS || (bytes >= BEHIND_BYTES && ms >= BURST_MS);
  if (isBehind) return undefined;
  const isIdle = bytes === 0 && (of.stillMs ?? 0) >= STILL_MS;
  const cause = isIdle ? "idle" : "caught_up";
  const end = bytes === 0 ? "has everything" : `keeps up, ${behindInWords(of)} behind`;
  const sentence = `${of.name} ${end}${isIdle ? "; nothing is being written" : ""}`;
  return { cause, weight: "fine", sentence, evidence: [] };
}

/** Where most of it is held up, and which measurement says why there. */
function held(of: LagCase): Finding | undefined {
  const gaps = gapsOf(of);
  const total = Math.max(1, gaps.sent + gaps.write + gaps.flush + gaps.replay);
  const isReplay = gaps.replay / total >= DOMINANT;
  const found = isReplay ? replayHeld(of) : (diskHeld(of) ?? senderHeld(of) ?? networkHeld(of));
  if (found === undefined) return undefined;
  return { ...found, stage: found.stage ?? largest(gaps), weight: "trouble" };
}

type Held = Omit<Finding, "weight">;

function replayHeld({ name, own }: LagCase): Held | undefined {
  const replay = own?.replay;
  if (replay === undefined || replay.samples < FEWEST) return undefined;
  const reads = Math.max(share(replay, /^IO\//), replay.onDisk);
  if (reads >= MOSTLY) {
    const evidence = [
      `replay waited for the disk in ${percent(reads)} of ${replay.samples} looks (${eventsOf(replay, /^IO\//)})`,
    ];
    const sentence = `replay on ${name} waits for the disk of its data`;
    return { cause: "replay_disk", stage: "replay", sentence, evidence };
  }
  const wants = (replay.cpu ?? 0) + (replay.starved ?? 0);
  if (replay.working < MOSTLY || (replay.cpu !== undefined && wants < MOSTLY)) return undefined;
  const isStarved = (replay.starved ?? 0) > (replay.cpu ?? 1);
  const sentence = isStarved
    ? `replay on ${name} gets too little processor time`
    : `replay on ${name} uses all of the one processor that it can use`;
  return { cause: "replay_cpu", stage: "replay", sentence, evidence: cpuEvidence(replay) };
}

const cpuEvidence = ({ pid, working, samples, cpu, starved }: Activity): readonly string[] => [
  `pid ${pid} waited for nothing in ${percent(working)} of ${samples} looks`,
  ...(cpu === undefined ? [] : [`${percent(cpu)} of the time on a processor`]),
  ...(starved === undefined ? [] : [`${percent(starved)} of the time waiting for one`]),
];

/** `WALSync` before version 17, `WalSync` from there on. */
const WRITES = /^IO\/WAL(?:Sync|Write|Init)/i;

function diskHeld({ name, own }: LagCase): Held | undefined {
  const activity = own?.receiver?.activity;
  if (activity === undefined || activity.samples < FEWEST) return undefined;
  const waits = Math.max(share(activity, WRITES), activity.onDisk);
  if (waits < MOSTLY) return undefined;
  const queue = own?.receiver?.receiveQueueBytes;
  const evidence = [
    `its walreceiver waited for the disk in ${percent(waits)} of ${activity.samples} looks (${eventsOf(activity, WRITES)})`,
    ...(queue === undefined || queue === 0
      ? []
      : [`${printBytes(queue)} have arrived that it has not come to read`]),
  ];
  const sentence = `the disk of ${name} takes WAL too slowly`;
  return { cause: "disk", stage: "flush", sentence, evidence };
}

/** The upstream's own process is what is slow: it computes, or reads old WAL from its disk. */
function senderHeld({ name, sent }: LagCase): Held | undefined {
  if (sent === undefined || sent.sender.samples < FEWEST) return undefined;
  const { sender } = sent;
  const reads = Math.max(share(sender, /^IO\/WALRead/i), sender.onDisk);
  const isBusy = sender.working >= MOSTLY && (sender.cpu ?? 0) >= MOSTLY;
  if (reads < MOSTLY && !isBusy) return undefined;
  const evidence = [
    ...(reads >= MOSTLY ? [`its walsender read WAL from disk in ${percent(reads)} of looks`] : []),
    ...(isBusy ? cpuEvidence(sender) : []),
    `the connection is in the state ${sent.state}`,
  ];
  const sentence = `the upstream of ${name} cannot send faster`;
  return { cause: "sender", stage: "sent", sentence, evidence };
}

/** The receiver waits for data although there is some: it is on its way, or cannot leave. */
function networkHeld({ name, sent, own }: LagCase): Held | undefined {
  const activity = own?.receiver?.activity;
  const idle = activity === undefined ? 0 : share(activity, /WalReceiverMain/);
  const queue = sent?.sendQueueBytes ?? 0;
  const unread = own?.receiver?.receiveQueueBytes ?? 0;
  const isWaiting = activity !== undefined && activity.samples >= FEWEST && idle >= MOSTLY;
  if (!isWaiting && !(queue > 0 && unread < queue)) return undefined;
  const evidence = [
    ...(activity === undefined
      ? []
      : [`its walreceiver waited for data in ${percent(idle)} of ${activity.samples} looks`]),
    ...(queue > 0 ? [`${printBytes(queue)} stand in the upstream's send queue`] : []),
    ...(own?.receiver?.receiveQueueBytes === undefined
      ? []
      : [`${printBytes(unread)} stand in its own receive queue`]),
  ];
  const sentence = `the network to ${name} carries less than is written`;
  return { cause: "network", sentence, evidence };
}

function unclear(of: LagCase): Finding {
  const gaps = gapsOf(of);
  const parts = STAGES.map((stage) => `${stage} ${printBytes(gaps[stage])}`).join(", ");
  return {
    cause: "unclear",
    weight: "trouble",
    stage: largest(gaps),
    sentence: `${of.name} is behind (${behindInWords(of)}), and no single cause shows`,
    evidence: [`held up at ${parts}`],
  };
}

function gapsOf({ sent, own }: LagCase): Readonly<Record<Stage, number>> {
  const stages = sent?.stages ?? own?.stages;
  return {
    sent: sent?.stages.sent.gapBytes ?? 0,
    write: stages?.write.gapBytes ?? 0,
    flush: stages?.flush.gapBytes ?? 0,
    replay: stages?.replay.gapBytes ?? 0,
  };
}

const largest = (gaps: Readonly<Record<Stage, number>>): Stage =>
  STAGES.reduce((worst, stage) => (gaps[stage] > gaps[worst] ? stage : worst));

/** In which share of the looks a process waited for one of these. */
const share = (activity: Activity | undefined, events: RegExp): number =>
  Object.entries(activity?.waits ?? {})
    .filter(([event]) => events.test(event))
    .reduce((sum, [, part]) => sum + part, 0);

const eventsOf = (activity: Activity, events: RegExp): string =>
  Object.keys(activity.waits)
    .filter((event) => events.test(event))
    .map((event) => event.split("/")[1])
    .join(", ") || "asleep in the kernel";

const percent = (part: number): string => `${Math.round(Math.min(1, part) * 100)} %`;
