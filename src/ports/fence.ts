// The port to the dead man's switch: a separate process, parent of the postmaster.
import type { Instant, Ms } from "../model/time.ts";

/** How PostgreSQL is started: through the fence, always (R4). */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly dataDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
}

export interface FenceStatus {
  /** False while no fence process answers. */
  readonly alive: boolean;
  readonly armed: { readonly term: number; readonly until: Instant } | undefined;
  /**
   * R30: the term under which the running server was let go without a deadline. The fence forgets it with the next
   * arming and with the server's end, so it never speaks of another server than the one that runs.
   */
  readonly unguarded: number | undefined;
  readonly leaseId: string | undefined;
  /** pid of the postmaster that is its child, if any. */
  readonly serverPid: number | undefined;
  /** When the last acknowledgement came, and how long the round trip took (R14). */
  readonly acknowledgedAt: Instant | undefined;
  readonly roundTripMs: Ms | undefined;
  /** Privileges it could not get (OOM score, priority, parent-death signal, watchdog): shown in status. */
  readonly lacking: readonly string[];
  readonly watchdog: "off" | "armed" | "absent" | "failed";
}

export type FenceEvent =
  | {
      readonly kind: "server-exit";
      readonly pid: number;
      readonly code: number | undefined;
      readonly signal: string | undefined;
    }
  | { readonly kind: "fired"; readonly term: number }
  | { readonly kind: "lost" };

/** What remains after an attempt to end the server (R2). */
export interface KillReport {
  readonly down: boolean;
  readonly remaining: number;
}

export interface Fence {
  /** From memory: never waits. */
  status(): FenceStatus;
  /** Makes sure that a fence process runs and that this agent is the only one it obeys (R11). */
  ensure(signal: AbortSignal): Promise<void>;
  /** Tells the fence which lease this agent uses, before it is used (R10). */
  adopt(leaseId: string, signal: AbortSignal): Promise<void>;
  /** From now on PostgreSQL ends at `until` unless armed again. Resolves when the fence has acknowledged. */
  arm(term: number, until: Instant, signal: AbortSignal): Promise<void>;
  /** The deadline is lifted: only for a server that is down or a standby. */
  disarm(signal: AbortSignal): Promise<void>;
  /** R30: lets the server run without a deadline. Refused unless the deadline of that very term still stands. */
  unguard(term: number, signal: AbortSignal): Promise<void>;
  startServer(command: ServerCommand, signal: AbortSignal): Promise<{ readonly pid: number }>;
  /** R1: SIGQUIT to the postmaster, then SIGKILL to each process, until R2's proof or the time is up. */
  killServer(graceMs: Ms, timeoutMs: Ms, signal: AbortSignal): Promise<KillReport>;
  onEvent(listener: (event: FenceEvent) => void): void;
}
