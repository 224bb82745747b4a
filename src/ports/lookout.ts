// The port to the first sign of a primary's end: a connection of our own to it, which breaks when its server does.
import type { Target } from "../model/route.ts";
import type { Instant } from "../model/time.ts";

export interface Lookout {
  /** Whom to keep an eye on from now on; the same one again changes nothing. */
  watch(target: Target | undefined): void;
  /** Since when the watched server has let nobody in; undefined while it does. */
  lostSince(): Instant | undefined;
  /** Called at once when it is lost, and when it is back. */
  onChange(run: () => void): void;
  close(): void;
}
