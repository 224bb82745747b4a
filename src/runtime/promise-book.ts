// What has this member promised to a primary that cannot reach the store, and may it promise now? (R27)
//
// A promise is on disk before it is acknowledged, and binds from the moment at which it begins to be written.
import type { ClusterSnapshot } from "../model/cluster.ts";
import {
  boundUntil,
  type GivenPromise,
  type PromiseAnswer,
  type PromiseAsked,
  promiseGiven,
} from "../model/promise.ts";
import type { Instant } from "../model/time.ts";
import type { Clock } from "../ports/clock.ts";
import type { NodeStateFile } from "../ports/node-state.ts";

/** What the rest of this member knows that stands against a promise; undefined when nothing does. */
export type Objection = (asked: PromiseAsked) => string | undefined;

const refused = (why: string): PromiseAnswer => ({ kind: "refused", why });

export class PromiseBook {
  readonly #clock: Pick<Clock, "now">;
  readonly #state: NodeStateFile;
  readonly #startedAt: Instant;
  /** Given in this life of the agent, and being written or written. */
  #given = false;
  #writing: GivenPromise | undefined;
  /** Promises of this term or an older one are void: the store has shown what became of their grantee. */
  #voidTerm = 0;

  constructor(clock: Pick<Clock, "now">, state: NodeStateFile) {
    this.#clock = clock;
    this.#state = state;
    this.#startedAt = clock.now();
  }

  /** The promise that binds this member now. */
  binding(): GivenPromise | undefined {
    const kept = this.#writing ?? this.#state.current().promise;
    if (kept === undefined || kept.term <= this.#voidTerm) return undefined;
    const until = this.#given ? kept.until : boundUntil(kept, this.#startedAt);
    return this.#clock.now() < until ? { ...kept, until } : undefined;
  }

  /** Never two grantees at once, never an older term; durable before it is acknowledged. */
  async give(asked: PromiseAsked, objection: Objection): Promise<PromiseAnswer> {
    const binding = this.binding();
    if (binding !== undefined && binding.grantee !== asked.grantee)
      return refused(`promised to ${binding.grantee}`);
    if (asked.term <= this.#voidTerm || (binding !== undefined && binding.term > asked.term))
      return refused(`term ${asked.term} is over`);
    const why = objection(asked);
    if (why !== undefined) return refused(why);
    const promise = promiseGiven(asked, binding, this.#clock.now());
    this.#writing = promise;
    this.#given = true;
    try {
      await this.#state.update({ promise });
      return { kind: "promised" };
    } catch (error) {
      return refused(`it could not be written down (${String(error)})`);
    } finally {
      if (this.#writing === promise) this.#writing = undefined;
    }
  }

  /** A grantee that gave up its term, or a newer term, ends what was promised for it. */
  sawCluster({ hold, leader }: ClusterSnapshot): void {
    const terms = [this.#voidTerm];
    if (hold !== undefined) terms.push(hold.released === undefined ? hold.term - 1 : hold.term);
    if (leader !== undefined) terms.push(leader.term - 1);
    this.#voidTerm = Math.max(...terms);
  }
}
