// Until when may the keep-alive go on upon the HA loop's word? (R38)
import type { Instant, Ms } from "../model/time.ts";
import { after } from "../model/time.ts";

/** The HA loop's word that the holder of `term` is well, as of the instant at which its observation began. */
export interface Vouch {
  readonly term: number;
  readonly observedAt: Instant;
}

export const isFresh = (
  vouch: Vouch | undefined,
  term: number,
  lastsMs: Ms,
  now: Instant,
): boolean => vouch !== undefined && vouch.term === term && now < after(vouch.observedAt, lastsMs);
