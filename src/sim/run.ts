// One life of a server, from its start to its end: the words that its parts share.
import type { SyncNames } from "../model/sync.ts";
import type { Upstream } from "../ports/postgres.ts";

/** How fast one server does things, in milliseconds. */
export interface ServerProfile {
  readonly startMs: number;
  readonly replayMs: number;
  readonly promoteMs: number;
  readonly stopMs: number;
  readonly flushMs: number;
  readonly cloneMs: number;
  readonly rewindMs: number;
  readonly sqlMs: number;
}

export const DEFAULT_PROFILE: ServerProfile = {
  startMs: 200,
  replayMs: 50,
  promoteMs: 120,
  stopMs: 150,
  flushMs: 1,
  cloneMs: 4_000,
  rewindMs: 1_000,
  sqlMs: 4,
};

export interface StartOptions {
  readonly asStandby: boolean;
  readonly guarded: boolean;
  readonly listens: boolean;
  /** The life that this one follows under the same postmaster. */
  readonly resetOf?: Run;
}

export type Phase = "starting" | "standby" | "promoting" | "primary" | "stopping" | "ended";

export interface Run {
  readonly pid: number;
  /** How often its processes have begun anew under the same postmaster. */
  readonly resets: number;
  /** It answers every session with an error. */
  failing: boolean;
  readonly startedAt: number;
  readonly guarded: boolean;
  /** A stranger's start listens nowhere (R17). */
  readonly listens: boolean;
  phase: Phase;
  postmaster: "ok" | "hung" | "stopped" | "dead";
  hungSince: number | undefined;
  /** Every process of the server is stopped. */
  frozen: boolean;
  held: (() => void)[];
  /** A SIGQUIT waits for a stopped postmaster to be continued. */
  quitPending: boolean;
  inserted: number;
  /** Record ends that are inserted and not flushed. */
  unflushed: number[];
  replayed: number;
  exhausted: boolean;
  /** Backends that run a long procedure: they outlive their postmaster. */
  longBackends: number;
  receiver: Receiver | undefined;
  readonly senders: Map<string, Sender>;
  /** The names that backends and new walsenders go by, and the checkpointer's flag that makes commits wait. */
  syncNames: SyncNames;
  makesWait: boolean;
  syncWaits: SyncWait[];
  wasWritable: boolean;
}

/** One commit that is durable here and waits for the standbys. */
export interface SyncWait {
  readonly lsn: number;
  readonly answer: () => void;
  /** Answers that it is committed here, and that nobody promises more (R34). */
  readonly warn: () => void;
}

export interface Sender {
  readonly to: string;
  readonly slot: string | undefined;
  /** This walsender's own copy of the names. */
  syncNames: SyncNames;
  /** What the standby has confirmed as flushed, as far as the primary has heard. */
  reported(): number;
  pump(): void;
  close(): void;
}

export interface Receiver {
  readonly upstream: Upstream;
  isStreaming(): boolean;
  /** Flushed by this walreceiver since it began to stream, or undefined. */
  flushed(): number | undefined;
  close(): void;
}
