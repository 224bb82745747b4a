// How long may a holder believe in its lease, and how long must a rival wait?
import { after, type Instant, type Ms } from "./time.ts";

/** The right to be primary: valid for one term, until an instant of this host's clock. */
export interface Lease {
  readonly term: number;
  readonly validUntil: Instant;
}

/** The most by which two hosts' clocks may differ in rate (safety R9). */
export const CLOCK_DRIFT = 0.01;
/** Time the fence may need from the end of the lease to the last dead backend: soft stop, hard stop, scheduling. */
export const STOP_MARGIN_MS: Ms = 1_500;
/** The fence's grace between SIGQUIT and SIGKILL (R1). */
export const HARD_STOP_AFTER_MS: Ms = 300;
/**
 * So long before the deadline the fence asks the server for a fast stop: clients are ended, and what they were promised
 * still reaches the standbys, because the walsenders live until the deadline itself.
 */
export const PARTING_MS: Ms = 200;

/** H: how long one renewal lets the holder believe (before drift and margin), for a given ttl (R5). */
export const holdMsFor = (ttlMs: Ms): Ms => Math.round(ttlMs * 0.8);

/** Until when a renewal whose first request left at `sentAt` counts (R6). */
export const validUntil = (sentAt: Instant, holdMs: Ms, marginMs: Ms = STOP_MARGIN_MS): Instant =>
  after(sentAt, Math.floor(holdMs * (1 - CLOCK_DRIFT) - marginMs));

/** When a rival that first saw this hold at `seenAt` may take over (R7b). */
export const rivalMayActAt = (seenAt: Instant, holdMs: Ms): Instant =>
  after(seenAt, Math.ceil(holdMs * (1 + CLOCK_DRIFT)));

/** How often the holder renews (R9). */
export const renewEveryMs = (holdMs: Ms): Ms => Math.floor(holdMs / 4);
/** The longest one renewal request may take (R9). */
export const renewTimeoutMs = (holdMs: Ms): Ms => Math.floor(holdMs / 8);
/** The pause between two attempts after a failed renewal (R9). */
export const RENEW_RETRY_MS: Ms = 200;

/** How long a vouch of the HA loop is good for, from the start of the observation behind it (R38). */
export const vouchLastsMs = (holdMs: Ms, loopWaitMs: Ms, retryTimeoutMs: Ms): Ms =>
  Math.min(loopWaitMs + retryTimeoutMs, Math.floor(holdMs / 2));

export const isValid = (lease: Lease | undefined, now: Instant): lease is Lease =>
  lease !== undefined && now < lease.validUntil;

/** For two seconds after a release only the named heir may acquire, then the former holder too (R25). */
export const HEIR_ONLY_MS: Ms = 2_000;
