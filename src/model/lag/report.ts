// What does one member say about lag: of those that it feeds, and of itself? Plain JSON; a stable contract.
import type { Ms } from "../time.ts";

/** Where WAL can be held up on its way, in its order. */
export const STAGES = ["sent", "write", "flush", "replay"] as const;
export type Stage = (typeof STAGES)[number];

/** One stage of one standby. Bytes and milliseconds are never negative. */
export interface StageGap {
  readonly lsn: string;
  /** What is held up here: behind the stage before. */
  readonly gapBytes: number;
  readonly gapMs: Ms;
  /** Behind the end of WAL. */
  readonly behindBytes: number;
  readonly behindMs: Ms;
  /** The moment at which this WAL was written is older than anything remembered: the times are lower bounds. */
  readonly atLeast?: true;
}

/** What a process did in the last seconds, in shares of the samples between 0 and 1. */
export interface Activity {
  readonly pid: number;
  readonly samples: number;
  /** By what it waited for, as `IO/WALSync`. */
  readonly waits: Readonly<Record<string, number>>;
  readonly working: number;
  /** In a sleep that nothing interrupts, which is nearly always a disk. */
  readonly onDisk: number;
  /** Stopped by a signal. */
  readonly stopped: number;
  /** Shares of time on a processor, and waiting for one; absent where the system does not say. */
  readonly cpu?: number;
  readonly starved?: number;
}

/** One standby as its upstream sees it. */
export interface SentReport {
  readonly name: string;
  readonly address: string;
  readonly state: string;
  readonly syncState: string;
  readonly stages: Readonly<Record<Stage, StageGap>>;
  /** How the bytes that it has not replayed grow, a second; negative while it catches up. */
  readonly trendPerSecond?: number;
  /** Until nothing is left at the present rate; absent when it does not come nearer. */
  readonly catchUpMs?: Ms;
  readonly replyAgeMs?: Ms;
  readonly sendQueueBytes?: number;
  readonly sender: Activity;
}

export interface ReceiverReport {
  readonly status: string;
  readonly slot: string;
  readonly upstream: string;
  readonly messageAgeMs?: Ms;
  readonly receiveQueueBytes?: number;
  readonly activity: Activity;
}

export interface QueryReport {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  readonly ageMs: Ms;
  readonly blocks: boolean;
}

/** A standby as it sees itself. `sent` is not its to know. */
export interface OwnReport {
  readonly stages: Readonly<Record<Exclude<Stage, "sent">, StageGap>>;
  /** Absent when nothing receives. */
  readonly receiver?: ReceiverReport;
  readonly replay?: Activity;
  readonly isPaused: boolean;
  readonly applyDelayMs: Ms;
  readonly feedback: boolean;
  /** How long a query may hold replay back; absent: for ever. */
  readonly longestWaitMs?: Ms;
  readonly queries: readonly QueryReport[];
  /** Queries cancelled for replay in the last two minutes, by kind. */
  readonly cancelled: Readonly<Record<string, number>>;
}

export interface LagReport {
  readonly version: number;
  readonly isStandby: boolean;
  readonly end: string;
  /** Bytes of WAL that arrive at its end in a second. */
  readonly walPerSecond?: number;
  /** For how long none has come. */
  readonly stillMs: Ms;
  /** Age of the newest sample, and how many the shares come from. */
  readonly ageMs: Ms;
  readonly samples: number;
  /** For how long, up to the newest sample, every one has shown the same walsenders and the same walreceiver. */
  readonly steadyMs: Ms;
  readonly standbys: readonly SentReport[];
  /** Itself as a standby. */
  readonly own?: OwnReport;
}
