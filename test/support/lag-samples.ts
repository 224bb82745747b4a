// Lag built from plain values: samples of a server over time, and both sides of one standby.
import type { LagCase } from "../../src/model/lag/case.ts";
import type { Activity, OwnReport, SentReport, StageGap } from "../../src/model/lag/report.ts";
import type {
  ProcessSample,
  ReplicationSample,
  SenderSample,
  StandbySample,
} from "../../src/model/lag/sample.ts";
import { lsn } from "../../src/model/lsn.ts";
import { instant } from "../../src/model/time.ts";

export const MB = 1024 * 1024;

export const processSample = (change: Partial<ProcessSample> = {}): ProcessSample => ({
  pid: 10,
  waits: "Activity/WalSenderMain",
  state: "S",
  cpuMs: 0,
  starvedMs: 0,
  ...change,
});

export const senderSample = (at: number, change: Partial<SenderSample> = {}): SenderSample => ({
  name: "n2",
  address: "10.0.0.2",
  state: "streaming",
  syncState: "async",
  sent: lsn(at),
  write: lsn(at),
  flush: lsn(at),
  replay: lsn(at),
  writeLagMs: undefined,
  flushLagMs: undefined,
  replayLagMs: undefined,
  replyAgeMs: 100,
  process: processSample(),
  sendQueueBytes: 0,
  ...change,
});

export const standbySample = (at: number, change: Partial<StandbySample> = {}): StandbySample => ({
  receiver: {
    status: "streaming",
    slot: "n2",
    upstream: "10.0.0.1:5432",
    written: lsn(at),
    flushed: lsn(at),
    latestEnd: lsn(at),
    messageAgeMs: 100,
    process: processSample({ pid: 21, waits: "Activity/WalReceiverMain" }),
    receiveQueueBytes: 0,
  },
  replayed: lsn(at),
  isPaused: false,
  startup: processSample({ pid: 20, waits: "Activity/RecoveryWalStream" }),
  applyDelayMs: 0,
  feedback: false,
  longestWaitMs: 30_000,
  conflicts: {},
  queries: [],
  ...change,
});

export const sampleAt = (
  ms: number,
  end: number,
  change: Partial<ReplicationSample> = {},
): ReplicationSample => ({
  at: instant(ms),
  version: 150_018,
  end: lsn(end),
  senders: [],
  standby: undefined,
  ...change,
});

const NO_GAP: StageGap = { lsn: "0/1000000", gapBytes: 0, gapMs: 0, behindBytes: 0, behindMs: 0 };

export const activity = (
  waits: Readonly<Record<string, number>>,
  change: Partial<Activity> = {},
): Activity => ({
  pid: 20,
  samples: 8,
  waits,
  working: 1 - Object.values(waits).reduce((sum, part) => sum + part, 0),
  onDisk: 0,
  stopped: 0,
  cpu: 0,
  starved: 0,
  ...change,
});

/** `at`: the stage that holds up so many bytes for so long. */
export interface Behind {
  readonly at: "sent" | "write" | "flush" | "replay";
  readonly bytes: number;
  readonly ms: number;
}

function stagesOf({ at, bytes, ms }: Behind): SentReport["stages"] {
  const order = ["sent", "write", "flush", "replay"] as const;
  const [sent, write, flush, replay] = order.map((stage, index): StageGap => {
    const isBehind = index >= order.indexOf(at);
    return {
      ...NO_GAP,
      ...(stage === at ? { gapBytes: bytes, gapMs: ms } : {}),
      ...(isBehind ? { behindBytes: bytes, behindMs: ms } : {}),
    };
  }) as [StageGap, StageGap, StageGap, StageGap];
  return { sent, write, flush, replay };
}

/** A standby that streams and has everything, or is behind at one stage. */
export function lagCase(
  behind: Behind = { at: "sent", bytes: 0, ms: 0 },
  change: {
    readonly sent?: Partial<SentReport>;
    readonly own?: Partial<OwnReport>;
    readonly of?: Partial<LagCase>;
  } = {},
): LagCase {
  const stages = stagesOf(behind);
  return {
    name: "n2",
    version: 150_018,
    upstreamLook: { ageMs: 2_000, steadyMs: 10_000 },
    ownLook: { ageMs: 4_000, steadyMs: 10_000 },
    walPerSecond: 100_000,
    stillMs: 0,
    sent: {
      name: "n2",
      address: "10.0.0.2",
      state: "streaming",
      syncState: "async",
      stages,
      replyAgeMs: 100,
      sendQueueBytes: 0,
      sender: activity({ "Activity/WalSenderMain": 1 }),
      ...change.sent,
    },
    own: {
      stages,
      receiver: receiver({ "Activity/WalReceiverMain": 1 }),
      replay: activity({ "Activity/RecoveryWalStream": 1 }),
      isPaused: false,
      applyDelayMs: 0,
      feedback: false,
      longestWaitMs: 30_000,
      queries: [],
      cancelled: {},
      ...change.own,
    },
    ...change.of,
  };
}

export const receiver = (
  waits: Readonly<Record<string, number>>,
  change: Partial<NonNullable<OwnReport["receiver"]>> = {},
): NonNullable<OwnReport["receiver"]> => ({
  status: "streaming",
  slot: "n2",
  upstream: "10.0.0.1:5432",
  messageAgeMs: 100,
  receiveQueueBytes: 0,
  activity: activity(waits),
  ...change,
});
