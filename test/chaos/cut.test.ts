// Hosts lose each other in silence: packets vanish, no socket is closed, and nobody knows who is alive.
import { describe, expect, it } from "vitest";
import { waitForHealthy, waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import type { FaultOptions } from "../../src/lab/order.ts";
import { hostOf, PARTIES, WAYS, wallsOf } from "../../src/lab/walls.ts";
import { incidentFor } from "../support/incidents.ts";
import { expectOneWriter, heal, isRoot, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 90_000;
const TTL_SECONDS = 5;
const LONGER_THAN_THE_LEASE_MS = 1.5 * TTL_SECONDS * 1000;

// Network namespaces belong to root.
describe.runIf(isRoot)("in network namespaces", () => {
  const lab = useLab("cut", {
    net: "namespaces",
    ttlSeconds: TTL_SECONDS,
    set: { failsafe_mode: "false" },
  });

  const measureCut = async (options: Partial<FaultOptions>) => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    return measure(lab(), {
      fault: () => make(lab(), "cut", member.name, options),
      watchMs: LONGER_THAN_THE_LEASE_MS,
      probe: true,
    });
  };

  it("a wall stops packets from the moment it stands, and goes without the others", async () => {
    const node = lab().members.at(-1)?.name ?? "";
    const names = async () => [...(await wallsOf(hostOf(lab(), node)))];
    for (const fate of ["silent", "closed"] as const) {
      for (const way of WAYS) {
        await make(lab(), "cut", node, { from: PARTIES, way, fate });
        const standing = await names();
        expect(standing.map(([name]) => name).toSorted()).toEqual([
          "cut-clients",
          "cut-peers",
          "cut-store",
        ]);
        expect(standing.every(([, stopped]) => stopped > 0)).toBe(true);
        await make(lab(), "heal", node, { from: ["peers"] });
        expect((await names()).map(([name]) => name)).not.toContain("cut-peers");
        await make(lab(), "heal", node);
        expect(await names()).toEqual([]);
      }
    }
    await waitForHealthy(lab(), LIMIT_MS);
  });

  it("a primary without its cluster link stops before another one begins", async () => {
    const measurement = await measureCut({ links: ["cluster"] });
    // Rows that it acknowledged after the cut reached no standby: without synchronous replication
    // nobody promises them.
    expect(measurement.probes?.overlaps).toEqual([]);
    expect(measurement.after.primary).not.toBe(measurement.before.primary);
    await heal(lab());
  });

  it("without failsafe mode a primary that the store does not answer stops before another one begins", async () => {
    const since = Date.now() - TTL_SECONDS * 1000;
    const measurement = await measureCut({ from: ["store"] });
    expectOneWriter(measurement);
    expect(measurement.after.primary).not.toBe(measurement.before.primary);
    await heal(lab());
    await incidentFor(lab(), since, ["cut_off_from_store"]);
  });

  it("a primary that hears nothing of its peers stays, as long as it has the store", async () => {
    const measurement = await measureCut({ from: ["peers"] });
    expectOneWriter(measurement);
    expect(measurement.after).toEqual(measurement.before);
    await heal(lab());
  });
});

describe.runIf(isRoot)("with a lease that a busy machine cannot outlast", () => {
  // The store's member comes back with its host, and may ask for an election: that must not cost a lease here.
  const lab = useLab("silent", { net: "namespaces", set: { failsafe_mode: "false" } });

  it("a host that dies without a last word is replaced, and returns as a standby", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "kill-node", member.name, { silent: true }),
      watchMs: 2_000,
      probe: true,
    });
    // What had not left the host when it died is lost (limit L4).
    expect(measurement.probes?.overlaps).toEqual([]);
    expect(measurement.after.primary).not.toBe(member.name);
    await heal(lab());
    expect((await waitForPrimary(lab(), LIMIT_MS)).member.name).toBe(measurement.after.primary);
  });
});
