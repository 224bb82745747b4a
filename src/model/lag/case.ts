// What is known of one standby's lag, and what is made of it?
import type { Ms } from "../time.ts";
import type { LagReport, OwnReport, SentReport, Stage } from "./report.ts";

export type LagCause =
  | "unknown"
  | "disconnected"
  | "paused"
  | "delayed"
  | "conflict"
  | "query"
  | "idle"
  | "caught_up"
  | "sender"
  | "network"
  | "disk"
  | "replay_disk"
  | "replay_cpu"
  | "stopped"
  | "unclear";

/** `note`: it is behind on purpose. `trouble`: somebody should look. */
export type LagWeight = "fine" | "note" | "trouble";

export interface Diagnosis {
  readonly cause: LagCause;
  readonly weight: LagWeight;
  /** The stage where most is held up; absent when nothing is. */
  readonly stage?: Stage;
  readonly sentence: string;
  /** What was measured, one line each. */
  readonly evidence: readonly string[];
  readonly remedy: readonly string[];
}

/** When a server was looked at, and since when it has shown the same streams. */
export type Look = Pick<LagReport, "ageMs" | "steadyMs">;

/** Both sides of one standby; either may be missing. */
export interface LagCase {
  readonly name: string;
  readonly sent: SentReport | undefined;
  readonly own: OwnReport | undefined;
  /** At the server that sends to it, or from which it says that it streams; undefined while nobody knows it. */
  readonly upstreamLook: Look | undefined;
  readonly ownLook: Look | undefined;
  /** Of the server that replays. */
  readonly version: number | undefined;
  /** WAL that comes into being at its upstream, a second. */
  readonly walPerSecond: number | undefined;
  /** For how long none has. */
  readonly stillMs: Ms | undefined;
}
