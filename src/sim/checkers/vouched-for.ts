// T4: a renewal is sent only upon a fresh word of the HA loop that the holder of that very term is well.
import { holdMsFor, vouchLastsMs } from "../../model/lease.ts";
import type { MakeChecker } from "./checker.ts";

/** Between the keeper's own judgement and its request the fence may be asked once (R29). */
const BEFORE_SENDING_MS = 500;

export const vouchedFor: MakeChecker = ({ cluster, violate }) => ({
  see(truth) {
    if (truth.kind !== "renewal-sent") return;
    const last = cluster.agent(truth.host)?.node?.last?.();
    if (last === undefined) return;
    const { world, decision } = last;
    // Who adopts a lease renews it in order to learn whether it is theirs.
    if (decision.step?.kind === "adopt") return;
    const { config } = world;
    const lasts = vouchLastsMs(holdMsFor(config.ttlMs), config.loopWaitMs, config.retryTimeoutMs);
    const ageMs = cluster.host(truth.host).clock.now() - world.now;
    const isVouched = decision.vouch && world.lease.held?.term === truth.term;
    if (isVouched && ageMs <= lasts + BEFORE_SENDING_MS) return;
    const word = isVouched ? `${Math.round(ageMs)} ms old` : `"${decision.because}", no vouch`;
    violate("T4", `${truth.host} renews term ${truth.term}; its loop's last word is ${word}`);
  },
});
