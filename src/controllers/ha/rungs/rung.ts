// What does one rung of the ladder answer? Nothing (not my question), or a verdict.

import type { Reason } from "../../../model/reason.ts";
import type { Instant } from "../../../model/time.ts";
import type { HaChange, HaUpkeep } from "../steps.ts";
import type { HaMemory, HaWorld } from "../world.ts";

export interface Verdict {
  readonly because: Reason;
  readonly detail?: string;
  readonly upkeep?: readonly HaUpkeep[];
  readonly step?: HaChange;
  readonly cancelJob?: boolean;
  /** Default false: silence never keeps a lease alive. */
  readonly vouch?: boolean;
  readonly wakeAt?: Instant;
  /** Changes to what the next world remembers. */
  readonly remember?: Partial<HaMemory>;
}

export type Rung = (world: HaWorld) => Verdict | undefined;
