// The port to the connection pooler of this node: PgBouncer, or what plays it.
//
// A pooler that is paused keeps its clients: new work waits in it. A pause has an owner (the agent) and a deadline;
// whoever implements this sees to it that the deadline comes even if the owner is dead by then.

import type { Address } from "../model/address.ts";
import type { RoutePlan, Target } from "../model/route.ts";
import type { Ms } from "../model/time.ts";

export type Pointed =
  | { readonly kind: "pointed" }
  /** A newer plan is in force: nothing was changed. */
  | { readonly kind: "older"; readonly term: number };

export interface HoldLimits {
  /** How long open transactions are waited for. */
  readonly drainMs: Ms;
  /** After this the pause ends by itself, whatever has become of the agent. */
  readonly limitMs: Ms;
}

export type Held =
  /** No write database has a server in use any more; new work waits. */
  | { readonly kind: "held" }
  /** The pause is on, but these clients still hold a server each: `user@address, 12 s in a transaction`. */
  | { readonly kind: "busy"; readonly blockers: readonly string[] };

/** The numbers of one pool, of one process. */
export interface PoolNumbers {
  readonly database: string;
  readonly user: string;
  readonly mode: string;
  readonly clientsActive: number;
  readonly clientsWaiting: number;
  readonly serversActive: number;
  readonly serversIdle: number;
  /** Server connections that the pool may have. */
  readonly size: number;
  readonly longestWaitMs: Ms;
}

/** What one database has to do, of one process: averages of the last minute. */
export interface PoolTraffic {
  readonly database: string;
  readonly transactionsPerSecond: number;
  readonly queriesPerSecond: number;
  readonly queryMs: Ms;
  /** How long a client waited for a server connection. */
  readonly waitMs: Ms;
}

export interface PoolerProcess {
  readonly pid: number;
  readonly version: string;
  readonly paused: boolean;
  /** Where each logical database leads now. */
  readonly points: Readonly<Record<string, Address>>;
  readonly pools: readonly PoolNumbers[];
  readonly traffic: readonly PoolTraffic[];
  /** Clients that it takes at most. */
  readonly maxClients: number;
  /** Undefined where the kernel does not say. */
  readonly memoryBytes: number | undefined;
}

export interface PoolerLook {
  /** Every process that shall run and answers. */
  readonly processes: readonly PoolerProcess[];
  /** What is not as it should be, one line each; empty when all is well. */
  readonly problems: readonly string[];
}

/** Verbs may be repeated, are bounded by their signal, and fail with AppErrors. */
export interface Pooler {
  /**
   * Files, processes and routes as the plan says: written atomically, started where missing, reloaded only where
   * something changed, reconnected after a change of roles. A bad configuration never replaces a working one. A plan
   * without a write target leaves the write databases where they are.
   */
  ensure(plan: RoutePlan, signal: AbortSignal): Promise<Pointed>;
  /** Pauses the write databases on every process. Also when it answers busy the pause is on, until released. */
  hold(limits: HoldLimits, signal: AbortSignal): Promise<Held>;
  /** Ends the pause on every process; one that is not paused is no failure. */
  release(signal: AbortSignal): Promise<void>;
  /** Ends what is linked to this address: the servers' connections and the clients that hold them, nobody else. */
  cut(target: Target, signal: AbortSignal): Promise<void>;
  /** Clients of the write databases are refused with an error until the next plan. */
  closeWrites(signal: AbortSignal): Promise<void>;
  look(signal: AbortSignal): Promise<PoolerLook>;
  /** Users of a seen process whose password the server refuses, one sentence each: for a person who asks, not for every look. */
  refusals(seen: PoolerLook, signal: AbortSignal): Promise<readonly string[]>;
  /** Leaves the processes and their clients alone. */
  close(): void;
  /** Ends the processes. */
  stop(signal: AbortSignal): Promise<void>;
}
