// What do the last samples of one server say together? Stages with their ages, shares of what processes did, trends.
import { type Lsn, lagBytes, printLsn } from "../lsn.ts";
import { between, type Instant, type Ms } from "../time.ts";
import type { Activity, LagReport, OwnReport, SentReport, StageGap } from "./report.ts";
import type { ProcessSample, ReplicationSample, SenderSample, StandbySample } from "./sample.ts";
import { ageOf, rateOf, stillFor, tick, type WalClock } from "./wal-clock.ts";

export interface LagWindow {
  /** Oldest first. */
  readonly samples: readonly ReplicationSample[];
  /** Where this server's own end was. */
  readonly ends: WalClock;
  /** Of a standby: the end that its upstream names. */
  readonly upstreamEnds: WalClock;
}

export const EMPTY_WINDOW: LagWindow = { samples: [], ends: [], upstreamEnds: [] };

/** Cancelled queries are counted over all of it. */
const REMEMBERED_MS: Ms = 120_000;
/** Shares of what processes did come from these last moments. */
const RECENT_MS: Ms = 6_000;
const FEWEST = 3;
const TREND_MS: Ms = 30_000;
const RATE_MS: Ms = 60_000;
/** More than what is on its way on a healthy system. */
const BUSY_BYTES = 1024 * 1024;
const BUSY_MS: Ms = 1_000;
/** Growth that nobody would call growth. */
const LEAST_TREND = 1024;

export function withSample(window: LagWindow, sample: ReplicationSample): LagWindow {
  const upstreamEnd = sample.standby?.receiver?.latestEnd;
  return {
    samples: [...window.samples, sample].filter(
      ({ at }) => between(at, sample.at) <= REMEMBERED_MS,
    ),
    ends: tick(window.ends, sample.at, sample.end),
    upstreamEnds:
      upstreamEnd === undefined
        ? window.upstreamEnds
        : tick(window.upstreamEnds, sample.at, upstreamEnd),
  };
}

/** Undefined before the first sample. */
export function reportOf(window: LagWindow, now: Instant): LagReport | undefined {
  const last = window.samples.at(-1);
  if (last === undefined) return undefined;
  const rate = rateOf(window.ends, RATE_MS);
  return {
    version: last.version,
    isStandby: last.standby !== undefined,
    end: printLsn(last.end),
    ...(rate === undefined ? {} : { walPerSecond: Math.round(rate) }),
    stillMs: Math.round(stillFor(window.ends, last.at)),
    ageMs: Math.round(between(last.at, now)),
    samples: recent(window).length,
    steadyMs: Math.round(steadyFor(window, last)),
    standbys: last.senders.map((sender) => sentOf(window, last, sender)),
    ...(last.standby === undefined ? {} : { own: ownOf(window, last, last.standby) }),
  };
}

/** Whether anything is behind: then looking more often, and closer, pays. */
export function isBusy({ standbys, own }: LagReport): boolean {
  const stages = [
    ...standbys.map(({ stages: { replay } }) => replay),
    ...(own === undefined ? [] : [own.stages.replay]),
  ];
  return stages.some(({ behindBytes, behindMs }) => behindBytes > BUSY_BYTES || behindMs > BUSY_MS);
}

const recent = ({ samples }: LagWindow): readonly ReplicationSample[] => {
  const last = samples.at(-1);
  if (last === undefined) return [];
  const fresh = samples.filter(({ at }) => between(at, last.at) <= RECENT_MS);
  return fresh.length >= FEWEST ? fresh : samples.slice(-FEWEST);
};

function steadyFor({ samples }: LagWindow, last: ReplicationSample): Ms {
  const streams = streamsOf(last);
  const before = samples.findLastIndex((sample) => streamsOf(sample) !== streams);
  return between((samples[before + 1] ?? last).at, last.at);
}

/** A stream that was made anew has other processes. */
function streamsOf({ senders, standby }: ReplicationSample): string {
  const sent = senders.map(({ name, process: { pid } }) => `${name} ${pid}`).toSorted();
  const { status = "none", process } = standby?.receiver ?? {};
  return [...sent, `${status} ${process?.pid ?? 0}`].join();
}

function sentOf(window: LagWindow, last: ReplicationSample, sender: SenderSample): SentReport {
  const { at: now, end } = last;
  const { sent = end, write = sent, flush = write, replay = flush } = sender;
  const { writeLagMs, flushLagMs, replayLagMs } = sender;
  const stage = (at: Lsn, told?: Ms): Behind => ({
    lsn: at,
    bytes: lagBytes(end, at),
    ...ageOf(window.ends, at, { now, told }),
  });
  const [s, w, f, r] = chain([
    stage(sent),
    stage(write, writeLagMs),
    stage(flush, flushLagMs),
    stage(replay, replayLagMs),
  ]) as [StageGap, StageGap, StageGap, StageGap];
  const isSame = (other: SenderSample) => other.process.pid === sender.process.pid;
  const processes = recent(window).flatMap(({ senders, at }) =>
    senders.filter(isSame).map(({ process }) => ({ process, at })),
  );
  const trend = trendOf(window, isSame);
  const { name, address, state, syncState, replyAgeMs, sendQueueBytes } = sender;
  return {
    name,
    address,
    state,
    syncState,
    stages: { sent: s, write: w, flush: f, replay: r },
    ...(trend === undefined ? {} : { trendPerSecond: Math.round(trend) }),
    ...catchUp(r.behindBytes, trend),
    ...(replyAgeMs === undefined ? {} : { replyAgeMs: Math.round(replyAgeMs) }),
    ...(sendQueueBytes === undefined ? {} : { sendQueueBytes }),
    sender: activityOf(processes),
  };
}

interface Behind {
  readonly lsn: Lsn;
  readonly bytes: number;
  readonly ms: Ms;
  readonly atLeast: boolean;
}

/** Each against the end, and against the stage before it. */
const chain = (stages: readonly Behind[]): readonly StageGap[] =>
  stages.map(({ lsn, bytes, ms, atLeast }, index) => {
    const before = stages[index - 1];
    const gapBytes = Math.max(0, bytes - (before?.bytes ?? 0));
    return {
      lsn: printLsn(lsn),
      gapBytes,
      // Times of the two stages come from different answers; without bytes between them there is no time either.
      gapMs: gapBytes === 0 ? 0 : Math.round(Math.max(0, ms - (before?.ms ?? 0))),
      behindBytes: bytes,
      behindMs: Math.round(ms),
      ...(atLeast ? { atLeast: true as const } : {}),
    };
  });

/** Bytes a second by which a standby falls behind; undefined while it has not been watched long enough. */
function trendOf(window: LagWindow, isSame: (other: SenderSample) => boolean): number | undefined {
  const points = window.samples.flatMap(({ at, end, senders }) => {
    const replay = senders.find(isSame)?.replay;
    return replay === undefined ? [] : [{ at, bytes: lagBytes(end, replay) }];
  });
  const last = points.at(-1);
  const first = last && points.find(({ at }) => between(at, last.at) <= TREND_MS);
  if (last === undefined || first === undefined || first.at === last.at) return undefined;
  return ((last.bytes - first.bytes) * 1000) / between(first.at, last.at);
}

function catchUp(bytes: number, trend: number | undefined): Pick<SentReport, "catchUpMs"> {
  if (bytes === 0) return { catchUpMs: 0 };
  if (trend === undefined || trend > -LEAST_TREND) return {};
  return { catchUpMs: Math.round((bytes * 1000) / -trend) };
}

function ownOf(window: LagWindow, last: ReplicationSample, standby: StandbySample): OwnReport {
  const { receiver, startup, replayed = last.end } = standby;
  const { flushed = last.end, written = flushed } = receiver ?? {};
  const end = receiver?.latestEnd ?? last.end;
  const clock = receiver?.latestEnd === undefined ? window.ends : window.upstreamEnds;
  const stage = (at: Lsn): Behind => ({
    lsn: at,
    bytes: lagBytes(end, at),
    ...ageOf(clock, at, { now: last.at }),
  });
  const [w, f, r] = chain([stage(written), stage(flushed), stage(replayed)]) as [
    StageGap,
    StageGap,
    StageGap,
  ];
  const own = recent(window);
  const startups = own.flatMap(({ standby: s, at }) =>
    s?.startup === undefined ? [] : [{ process: s.startup, at }],
  );
  return {
    stages: { write: w, flush: f, replay: r },
    ...(receiver === undefined ? {} : { receiver: receiverOf(receiver, own) }),
    ...(startup === undefined ? {} : { replay: activityOf(startups) }),
    isPaused: standby.isPaused,
    applyDelayMs: standby.applyDelayMs,
    feedback: standby.feedback,
    ...(standby.longestWaitMs === undefined ? {} : { longestWaitMs: standby.longestWaitMs }),
    queries: standby.queries.map((query) => ({ ...query, ageMs: Math.round(query.ageMs) })),
    cancelled: cancelledIn(window.samples),
  };
}

function receiverOf(
  { status, slot, upstream, messageAgeMs, receiveQueueBytes, process }: ReceiverSample,
  own: readonly ReplicationSample[],
): NonNullable<OwnReport["receiver"]> {
  const processes = own.flatMap(({ standby, at }) =>
    standby?.receiver?.process.pid === process.pid
      ? [{ process: standby.receiver.process, at }]
      : [],
  );
  return {
    status,
    slot,
    upstream,
    ...(messageAgeMs === undefined ? {} : { messageAgeMs: Math.round(messageAgeMs) }),
    ...(receiveQueueBytes === undefined ? {} : { receiveQueueBytes }),
    activity: activityOf(processes),
  };
}

type ReceiverSample = NonNullable<StandbySample["receiver"]>;

/** By kind, how many more than at the first sample; a server that was started anew counts from nothing. */
function cancelledIn(samples: readonly ReplicationSample[]): OwnReport["cancelled"] {
  const counts = samples.flatMap(({ standby }) =>
    standby === undefined ? [] : [standby.conflicts],
  );
  const [first = {}] = counts;
  const last = counts.at(-1) ?? {};
  const grown = Object.entries(last)
    .map(([kind, count]) => [kind, count - Math.min(count, first[kind] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  return Object.fromEntries(grown);
}

interface Seen {
  readonly process: ProcessSample;
  readonly at: Instant;
}

function activityOf(all: readonly Seen[]): Activity {
  // A process that was started anew has another pid: only what the last one did counts.
  const pid = all.at(-1)?.process.pid ?? 0;
  const seen = all.filter(({ process }) => process.pid === pid);
  const share = (is: (process: ProcessSample) => boolean): number =>
    rounded(seen.filter(({ process }) => is(process)).length / Math.max(1, seen.length));
  const names = new Set(seen.map(({ process }) => process.waits).filter((name) => name !== ""));
  return {
    pid,
    samples: seen.length,
    waits: Object.fromEntries([...names].map((name) => [name, share((p) => p.waits === name)])),
    working: share((p) => p.waits === ""),
    onDisk: share((p) => p.state === "D"),
    stopped: share((p) => p.state === "T" || p.state === "t"),
    ...timesOf(seen),
  };
}

function timesOf(seen: readonly Seen[]): Pick<Activity, "cpu" | "starved"> {
  const [first] = seen;
  const last = seen.at(-1);
  if (first === undefined || last === undefined || first.at === last.at) return {};
  const span = between(first.at, last.at);
  const share = (from: Ms | undefined, to: Ms | undefined) =>
    from === undefined || to === undefined ? undefined : rounded(Math.max(0, to - from) / span);
  const cpu = share(first.process.cpuMs, last.process.cpuMs);
  const starved = share(first.process.starvedMs, last.process.starvedMs);
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(starved === undefined ? {} : { starved }),
  };
}

const rounded = (share: number): number => Math.round(Math.min(1, share) * 100) / 100;
