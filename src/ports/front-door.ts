// The port to what leads clients to the primary without a router: ordered steps, each of which may be repeated.
import type { Ms } from "../model/time.ts";

/** Every step is bounded by its signal and fails with AppErrors. */
export interface FrontDoor {
  /** Nothing is in the way: programs are there, nobody else has what is to be acquired. */
  prepare(term: number, signal: AbortSignal): Promise<void>;
  /** From now on clients are led here, for `forMs` at most: without another word it ends by itself where it can. */
  acquire(term: number, forMs: Ms, signal: AbortSignal): Promise<void>;
  /** Whether clients really are led here. */
  verify(term: number, signal: AbortSignal): Promise<boolean>;
  /** Clients are not led here any more; nothing to release is no failure. */
  release(signal: AbortSignal): Promise<void>;
}
