// What a checker is: it hears the truth, and says what must not have happened. Numbers are those of SPEC.md.
import type { SimCluster } from "../cluster.ts";
import type { Truth } from "../truth.ts";
import type { Workload } from "../workload.ts";

export interface CheckContext {
  readonly cluster: SimCluster;
  readonly workload: Workload;
  /** H of the configuration in force: how long a holder may believe in one renewal. */
  readonly holdMs: number;
  readonly maximumLag: number;
  /** Synchronous replication is on from the beginning. */
  readonly isSynchronous: boolean;
  readonly violate: (rule: string, text: string) => void;
}

export interface Checker {
  /** After the healing: could the schedule end now, as far as this checker knows? */
  isContent?(now: number): boolean;
  /** Hears each event as it happens. */
  see?(truth: Truth, at: number): void;
  /** Looks at the end of the schedule; `healedAt` is when the last fault ended. */
  finish?(healedAt: number, endedAt: number): void;
}

export type MakeChecker = (context: CheckContext) => Checker;

/** A person asked for a failover (not a switchover) to this very member: that overrules what was promised. */
export function isAskedFor({ cluster }: CheckContext, host: string): boolean {
  const intent = cluster.store.state.keys.get("/service/demo/failover")?.value ?? "{}";
  return intent.includes(`"member":"${host}"`) && !intent.includes('"leader":"');
}
