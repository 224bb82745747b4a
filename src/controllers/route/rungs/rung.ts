// What does one question of the route room answer? Nothing (not my question), or a verdict.
import type { RouteReason } from "../../../model/route-reason.ts";
import type { Instant } from "../../../model/time.ts";
import type { RouteChange } from "../steps.ts";
import type { RouteMemory, RouteWorld } from "../world.ts";

export interface Verdict {
  readonly because: RouteReason;
  readonly detail?: string;
  readonly step?: RouteChange;
  readonly wakeAt?: Instant;
  readonly remember?: Partial<RouteMemory>;
}

export type Rung = (world: RouteWorld) => Verdict | undefined;
