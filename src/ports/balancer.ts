// The port to the load balancer of this node: HAProxy, or what plays it. It cannot keep a client waiting.
import type { RoutePlan } from "../model/route.ts";
import type { Pointed } from "./pooler.ts";

/** One server of one route, as the balancer sees it. */
export interface BalancedServer {
  readonly route: string;
  readonly name: string;
  /** Its own word for the state: `UP`, `DOWN`, `MAINT`, `DRAIN`. */
  readonly state: string;
  readonly sessions: number;
}

export interface BalancerLook {
  readonly pid: number | undefined;
  readonly version: string;
  readonly servers: readonly BalancedServer[];
  /** What is not as it should be, one line each; empty when all is well. */
  readonly problems: readonly string[];
}

/** Verbs may be repeated, are bounded by their signal, and fail with AppErrors. */
export interface Balancer {
  /**
   * Configuration, process and run-time state as the plan says. Whoever is no longer the write target is taken out and
   * its sessions are ended; a standby that drains gets no new sessions and keeps those it has.
   */
  ensure(plan: RoutePlan, signal: AbortSignal): Promise<Pointed>;
  /**
   * The write target of before leads no more: its sessions are ended, and who comes in waits, for seconds at most, until the
   * next plan. Nobody has to end that: checks open whoever takes writes.
   */
  wait(signal: AbortSignal): Promise<void>;
  /** Nobody is let in on the write route until the next plan, and who is in is cut. */
  closeWrites(signal: AbortSignal): Promise<void>;
  look(signal: AbortSignal): Promise<BalancerLook>;
  /** Leaves the process and its sessions alone. */
  close(): void;
  /** Ends the process. */
  stop(signal: AbortSignal): Promise<void>;
}
