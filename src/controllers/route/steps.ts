// What can the route room do? Every step is one verb with plain data; act.ts carries it out.
import type { RoutePlan, RouterStatus, Target } from "../../model/route.ts";
import type { Ms } from "../../model/time.ts";
import type { Cause } from "./world.ts";

/** Upkeep: harmless to repeat. */
export type RouteUpkeep =
  /** A program that has ended is started again, a file that was changed is put right. */
  | { readonly kind: "keep"; readonly plan: RoutePlan }
  | { readonly kind: "publish"; readonly status: RouterStatus; readonly ttlMs: Ms }
  | { readonly kind: "keep-lease"; readonly ttlMs: Ms };

/** Steps: at most one a tick. */
export type RouteChange =
  /** Clients go where the plan says; those who wait go on at once. `gone` is a primary that is none any more. */
  | {
      readonly kind: "point";
      readonly plan: RoutePlan;
      readonly gone: Target | undefined;
      readonly thenRelease: boolean;
    }
  | {
      readonly kind: "hold";
      readonly cause: Cause;
      readonly term: number;
      readonly drainMs: Ms;
      readonly limitMs: Ms;
      /** Published as soon as nobody holds a server: until the next look clients would wait for nothing. */
      readonly announce: RouterStatus | undefined;
    }
  /** Those who hold transactions open on this server are cut, for this wish. */
  | { readonly kind: "cut"; readonly target: Target; readonly intent: number }
  /** What still hangs on a vanished primary would hang for minutes. */
  | { readonly kind: "cut-gone"; readonly target: Target }
  /** Who comes in over a balancer waits: the store names nobody who would serve him. */
  | { readonly kind: "wait" }
  | { readonly kind: "release" }
  | { readonly kind: "close" };

export type RouteStep = RouteUpkeep | RouteChange;
