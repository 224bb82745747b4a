// How long may a step of the ha room take at the most? Every wait has a limit and a name.
import type { Ms } from "../../model/time.ts";

/** One write to the store; the loop looks again afterwards in any case. */
export const WRITE_LIMIT_MS: Ms = 1_500;
/** R1: the time between the gentle and the hard stop. */
export const KILL_GRACE_MS: Ms = 300;
/** The most a kill may take before what remains is reported. */
export const KILL_LIMIT_MS: Ms = 5_000;
/** How long a planned stop waits for the heir's last byte, and how often it asks. */
export const HEIR_LIMIT_MS: Ms = 5_000;
export const HEIR_POLL_MS: Ms = 10;
/** The lease must have at least this much left when a step that needs it begins. */
export const LEASE_NEEDED_MS: Ms = 500;
/** The proof takes milliseconds unless a process does not hear its reload (R20); what is unproven is asked again. */
export const GATE_PROOF_MS: Ms = 300;
/** The scan of a crashed server's WAL may cost this much of the pause before a restart is the better way (R24). */
export const CRASH_SCAN_MS: Ms = 500;
/** A standby has no clients to wait for that could not connect elsewhere. */
export const STOP_STANDBY_MS: Ms = 10_000;
