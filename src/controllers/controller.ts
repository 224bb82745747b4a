// The whole idea in forty lines: observe → decide → act.

import type { AnyReason } from "../model/reason.ts";
import type { Instant } from "../model/time.ts";

/** How a step ended, as the next world sees it. `result` is what the step found out, if anything. */
export interface Outcome {
  readonly at: Instant;
  readonly ok: boolean;
  /** Error code of a failed step. */
  readonly code: string | undefined;
  readonly why: string | undefined;
  readonly result: unknown;
}

/** Latest outcome of each kind of step. */
export type Outcomes = Readonly<Record<string, Outcome | undefined>>;

/** A long step in the job slot. */
export interface Job<S> {
  readonly step: S;
  readonly startedAt: Instant;
  readonly progress: string | undefined;
  readonly cancelled: boolean;
}

export interface Decision<S, M, R extends AnyReason = AnyReason> {
  /** One name; log, REST, metrics, docs and tests all use it. */
  readonly because: R;
  /** For people: the numbers and names behind the reason. */
  readonly detail?: string;
  /** Harmless to repeat: publish, create a slot, reload. Done in order, each bounded, failures only noted. */
  readonly upkeep: readonly S[];
  /** At most one thing that changes what we are; it ends the tick, the next begins at once with fresh eyes. */
  readonly step?: S;
  readonly cancelJob?: boolean;
  /** May the lease be kept alive on my word? (R38) */
  readonly vouch: boolean;
  /** Look again no later than this. */
  readonly wakeAt?: Instant;
  readonly memory: M;
}

export interface Controller<W, S, M> {
  /** Never throws: ignorance is part of the world. */
  observe(memory: M, outcomes: Outcomes, job: Job<S> | undefined): Promise<W>;
  /** Pure, synchronous, total. */
  decide(world: W): Decision<S, M>;
  /** One verb, idempotent, bounded. What it answers becomes the outcome's result. */
  act(step: S, onProgress: (text: string) => void, signal: AbortSignal): Promise<unknown>;
  /** Long steps run in the job slot while the loop goes on ticking. */
  isLong(step: S): boolean;
}
