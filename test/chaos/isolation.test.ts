// A primary that reaches neither the store nor any member, while its clients still reach it.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import { incidentFor } from "../support/incidents.ts";
import { expectSafe, heal, isRoot, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 90_000;
/** At 20 s a holder believes for 14 s after a renewal, and renews every 4 s: at least 10 s are left when it is cut off. */
const TTL_SECONDS = 20;
/** Longer than the time after which the gate closes, shorter than what is left of the lease, walls and all. */
const BLIP_MS = 4_000;
const LONGER_THAN_THE_LEASE_MS = 30_000;

// Network namespaces belong to root.
describe.runIf(isRoot)("alone, in network namespaces", () => {
  const lab = useLab("alone", { net: "namespaces", ttlSeconds: TTL_SECONDS });

  it("for four seconds: its writes wait, nothing is lost and nobody takes over", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const measurement = await measure(lab(), {
      fault: async () => {
        await make(lab(), "cut", member.name, { from: ["store", "peers"] });
        await sleep(BLIP_MS);
        await make(lab(), "heal", member.name);
      },
      watchMs: LONGER_THAN_THE_LEASE_MS,
      probe: true,
    });
    expectSafe(measurement);
    expect(measurement.after).toEqual(measurement.before);
    await heal(lab());
  });

  it("for longer: it has stopped acknowledging before another one leads", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const since = Date.now() - TTL_SECONDS * 1000;
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "cut", member.name, { from: ["store", "peers"] }),
      watchMs: LONGER_THAN_THE_LEASE_MS,
      probe: true,
    });
    // What it acknowledged before it knew that it was alone reached no standby (limit L4).
    expect(measurement.probes?.overlaps).toEqual([]);
    expect(measurement.after.primary).not.toBe(member.name);
    await heal(lab());
    // What it went through is known as soon as it can be asked again.
    expect(await incidentFor(lab(), since, ["isolated"])).toMatchObject({ from: member.name });
  });
});
